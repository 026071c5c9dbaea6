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

/** What one event counts towards the size of an append: its type as text of two bytes a character, as the real server keeps it. */
export const sizeOf = (event: ProposedEvent): number => event.data.length + event.metadata.length + 2 * utf16Length(event.type);

/** Characters of UTF-8 text as UTF-16 counts them: those of four bytes are two. */
function utf16Length(text: Buffer): number {
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const byte = text[i]!;
    length += byte >= 0xf0 ? 2 : (byte & 0xc0) === 0x80 ? 0 : 1;
  }
  return length;
}
