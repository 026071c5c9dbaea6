import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { Refusal } from '../refusals.js';
import type { EventStore } from '../store/event-store.js';
import { NO_BYTES } from '../wire/recorded-event.js';
import { scavenge, type Scavenged } from './scavenge.js';

/** How a scavenge ended. */
export type ScavengeResult = 'Success' | 'Stopped' | 'Errored';

const TELL_EVERY_MS = 500;

/** Where a scavenge tells how it goes. */
export const streamOf = (id: string): string => `$scavenges-${id}`;

/** The scavenges of a node, one at a time. Each tells how it goes in a stream of its own, as the real server's do. */
export class Scavenges {
  private running: { readonly id: string; readonly stop: AbortController; readonly done: Promise<void> } | undefined;

  constructor(private readonly store: EventStore) {}

  /** Starts one, or says which is running. */
  start(): { id: string; isNew: boolean } {
    if (this.running !== undefined) return { id: this.running.id, isNew: false };
    const id = randomUUID();
    const stop = new AbortController();
    this.running = { id, stop, done: this.run(id, stop.signal).finally(() => (this.running = undefined)) };
    return { id, isNew: true };
  }

  /** Stops the running one, when it is this. */
  async stop(id: string): Promise<void> {
    if (this.running?.id !== id) throw new Refusal(status.NOT_FOUND, `There is no scavenge ${id} running.`, { exception: 'scavenge-not-found', 'scavenge-id': id });
    await this.end();
  }

  /** Stops the running one, if any. */
  async end(): Promise<void> {
    this.running?.stop.abort();
    await this.running?.done;
  }

  private async run(id: string, signal: AbortSignal): Promise<void> {
    const begun = Date.now();
    this.tell(id, '$scavengeStarted', { scavengeId: id });
    let told = begun;
    const progress = ({ position, end, events, bytes }: Scavenged) => {
      if (Date.now() - told < TELL_EVERY_MS) return;
      told = Date.now();
      this.tell(id, '$scavengeProgress', { scavengeId: id, position, end, eventsRemoved: events, spaceSaved: bytes });
    };
    const end = (result: ScavengeResult, more: object) => this.tell(id, '$scavengeCompleted', { scavengeId: id, result, timeTakenMs: Date.now() - begun, ...more });
    try {
      const { events, bytes } = await scavenge(this.store, signal, progress);
      end(signal.aborted ? 'Stopped' : 'Success', { eventsRemoved: events, spaceSaved: bytes });
    } catch (error) {
      console.error(JSON.stringify({ level: 'error', msg: 'a scavenge failed', error: (error as Error).stack }));
      end('Errored', { error: (error as Error).message, eventsRemoved: 0, spaceSaved: 0 });
    }
    await this.store.settled();
  }

  private tell(id: string, type: string, data: object): void {
    const event = { id: randomUUID(), type: Buffer.from(type), isJson: true, metadata: NO_BYTES, data: Buffer.from(JSON.stringify(data)) };
    this.store.append(streamOf(id), 'any', [event], (_, failure) => {
      if (failure !== undefined) console.error(JSON.stringify({ level: 'warn', msg: 'a scavenge could not tell how it goes', error: failure.message }));
    });
  }
}
