import { silence_ms } from '../transaction.js';

/** An owner loses its locks this much earlier where it has last spoken just before it began to compute. */
const margin_ms = 1000;

/** For how long a process may compute over parked events when they are tried again: each gets as long as any, and more where that was too little. */
export class Retries {
  /** What events were given when they took longer than that. */
  private readonly overran = new Map<string, number>();

  constructor(private readonly longest_ms: number) {}

  /** How long the event may take; 0 where it has been given the most there is, and is not to be asked again. */
  patienceWith(eventId: string, tookTooLong: boolean): number {
    const given_ms = this.overran.get(eventId) ?? 0;
    if (given_ms === this.longest_ms) return 0;
    return tookTooLong || given_ms > 0 ? this.longest_ms : silence_ms;
  }

  /** The connection was lost while the event was tried: true when that was because it took longer than it was given. */
  isLostTo(eventId: string, given_ms: number, took_ms: number): boolean {
    if (took_ms < given_ms - margin_ms) return false;
    this.overran.set(eventId, given_ms);
    return true;
  }
}
