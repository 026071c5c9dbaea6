import type { ProposedEvent } from '../wire/recorded-event.js';

/** What the Streams service needs besides the store. */
export interface StreamsLimits {
  /** Bytes of all events of one append. */
  readonly maxAppendBytes: number;
  /** Told of every append that was answered, and how long that took. */
  readonly appended?: (method: string, stream: string, events: number, ms: number) => void;
  /** Told of every read that was answered, and how long that took without the waiting for its client. */
  readonly answered?: (method: string, stream: string | undefined, ms: number) => void;
}

/** What one event counts towards the size of an append. */
export const sizeOf = (event: ProposedEvent): number => event.data.length + event.metadata.length + 2 * event.type.length;
