import type { StoredEvent } from '../../platform/eventstore/port.js';
import { Retries } from './parking/retries.js';
import { silence_ms } from './transaction.js';

/** Pieces are made to take about so long. */
const aim_ms = silence_ms / 2;
/** After so many pieces that went well they become twice as large. */
const piecesBeforeGrowth = 8;
/** Pieces of so many events are no pieces any more: about what one batch holds. */
const wholeBatch = 4096;
/** The most time that a single event is given. */
const longestSilence_ms = 60_000;

interface Slow {
  mostEvents: number;
  wentWell: number;
  silence_ms: number;
  tooMuch?: string;
}

/** What a parked event says that has been given all the time there is. */
export const tookTooLong = (longest_ms: number): string => `computing takes longer than ${longest_ms / 1000} s`;

/**
 * Views that have computed for so long between two statements that Postgres took their process for dead. They get fewer
 * events at a time from then on; a single event that takes longer gets more time, up to a bound.
 */
export class SlowViews {
  private readonly slow = new Map<string, Slow>();

  /** What the process knows of parked events that were tried again. */
  readonly retries: Retries;

  constructor(readonly longest_ms = longestSilence_ms) {
    this.retries = new Retries(longest_ms);
  }

  /** So many events may go into one transaction of these views. */
  mostEvents(views: readonly string[]): number {
    return Math.min(...views.map((view) => this.slow.get(view)?.mostEvents ?? Infinity));
  }

  /** A transaction of these views that takes so many events may be silent for so long, and its process with it. */
  silence_ms(views: Iterable<string>, events: number): number {
    if (this.slow.size === 0 || events > 1) return silence_ms;
    return Math.max(silence_ms, ...[...views].map((view) => this.slow.get(view)?.silence_ms ?? 0));
  }

  /** Why the view is not to be asked again for this event, where that is so. */
  tooMuch(view: string, events: readonly StoredEvent[]): Error | undefined {
    const event = this.slow.get(view)?.tooMuch;
    return event !== undefined && event === events[0]?.id ? new Error(tookTooLong(this.longest_ms)) : undefined;
  }

  /** A transaction was lost: true when that was because the view that took longest computed for too long. */
  lost({ slowest: view, took_ms }: Stopwatch, events: readonly StoredEvent[]): boolean {
    if (took_ms < silence_ms) return false;
    const slow = this.slow.get(view) ?? { mostEvents: wholeBatch, wentWell: 0, silence_ms };
    this.slow.set(view, slow);
    slow.wentWell = 0;
    if (events.length > 1) slow.mostEvents = Math.max(1, Math.floor(events.length * Math.min(1 / 2, aim_ms / took_ms)));
    else if (slow.silence_ms < this.longest_ms) slow.silence_ms = Math.min(this.longest_ms, 2 * Math.max(took_ms, slow.silence_ms));
    else slow.tooMuch = events[0]?.id;
    return true;
  }

  /** The views have taken a piece in time. */
  taken(views: Iterable<string>): void {
    if (this.slow.size === 0) return;
    for (const view of views) {
      const slow = this.slow.get(view);
      if (!slow || ++slow.wentWell < piecesBeforeGrowth) continue;
      slow.wentWell = 0;
      slow.mostEvents *= 2;
      if (slow.mostEvents >= wholeBatch) this.slow.delete(view);
    }
  }
}

/** Knows which of several views has taken longest. */
export class Stopwatch {
  slowest = '';
  took_ms = 0;

  async time(view: string, work: () => Promise<void>): Promise<void> {
    const since = performance.now();
    try {
      await work();
    } finally {
      const took_ms = performance.now() - since;
      if (took_ms > this.took_ms) [this.slowest, this.took_ms] = [view, took_ms];
    }
  }
}
