import type { ServerWritableStream, ServerDuplexStream } from '@grpc/grpc-js';
import { FramedMessages } from '../wire/framed.js';

/** Bytes gathered before they are written: one write then carries many events. */
const CHUNK_BYTES = 64 * 1024;

type Call = ServerWritableStream<never, FramedMessages> | ServerDuplexStream<never, FramedMessages>;

/**
 * Sends framed messages to one client, as fast as it takes them: what it has not read yet is
 * never more than one chunk on our side.
 */
export class Outlet {
  private gathered: FramedMessages | undefined;
  private inFlight: Promise<void> | undefined;
  /** How long the client was waited for so far, in ms. */
  waitedMs = 0;

  constructor(private readonly call: Call) {}

  /** Whether the client has gone or the call has ended. */
  get isClosed(): boolean {
    return this.call.cancelled || this.call.destroyed || this.call.writableEnded;
  }

  /** Copies framed messages in; they are sent with the next flush. */
  add(frames: Buffer): void {
    (this.gathered ??= new FramedMessages()).add(frames);
  }

  /** Whether enough is gathered for a write. */
  get isFull(): boolean {
    return this.gathered !== undefined && this.gathered.size >= CHUNK_BYTES;
  }

  /** Sends what is gathered; resolves when the client has room for more. */
  async flush(): Promise<void> {
    while (this.inFlight !== undefined) await this.inFlight;
    const chunk = this.gathered;
    this.gathered = undefined;
    if (chunk === undefined || this.isClosed) return chunk?.release();
    const since = performance.now();
    this.inFlight = this.write(chunk);
    await this.inFlight;
    this.waitedMs += performance.now() - since;
  }

  private write(chunk: FramedMessages): Promise<void> {
    return new Promise((resolve) => {
      const finish = () => {
        this.call.off('cancelled', finish);
        this.inFlight = undefined;
        chunk.release();
        resolve();
      };
      // A client that goes leaves the write without an answer.
      this.call.once('cancelled', finish);
      this.call.write(chunk, finish);
    });
  }
}
