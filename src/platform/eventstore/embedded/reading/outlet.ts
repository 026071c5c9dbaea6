import type { ServerWritableStream, ServerDuplexStream } from '@grpc/grpc-js';
import { FramedMessages } from '../wire/framed.js';

/** What HTTP/2 lets us send until the client makes room again, unless it says otherwise. */
const WINDOW_BYTES = 65_535;
/**
 * Bytes of a write that carries many events. A client makes room by halves of its window, after it has worked on all that it
 * had received: sent by halves, the next is there meanwhile, while one that gets a whole window waits after each. And writes
 * that end where the room does are cut into the fewest frames.
 */
const HALVES = [32_768, WINDOW_BYTES - 32_768] as const;

type Call = ServerWritableStream<never, FramedMessages> | ServerDuplexStream<never, FramedMessages>;

/**
 * Sends framed messages to one client, as fast as it takes them: what it has not read yet is
 * never more than one write on our side.
 */
export class Outlet {
  private gathered: FramedMessages | undefined;
  /** The half of a window that the next write of many events fills. */
  private half: 0 | 1 = 0;
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
    return this.gathered !== undefined && this.gathered.size >= HALVES[this.half];
  }

  /** Sends what is gathered; resolves when the client has room for more. */
  async flush(): Promise<void> {
    while (this.inFlight !== undefined) await this.inFlight;
    const chunk = this.gathered;
    this.gathered = undefined;
    await this.send(chunk);
  }

  /** Sends of what is gathered as much as ends with a half of a window; the rest goes with what follows. */
  async flushFull(): Promise<void> {
    while (this.isFull) {
      while (this.inFlight !== undefined) await this.inFlight;
      const half = HALVES[this.half];
      const chunk = this.gathered!;
      this.gathered = chunk.splitAt(half + WINDOW_BYTES * Math.floor((chunk.size - half) / WINDOW_BYTES));
      this.half = this.half === 0 ? 1 : 0;
      await this.send(chunk);
    }
  }

  private async send(chunk: FramedMessages | undefined): Promise<void> {
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
