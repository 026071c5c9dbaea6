import type { EventEmitter } from 'node:events';
import { status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { Refusal, stopping } from '../refusals.js';
import { isDamage } from '../store/data-file.js';
import { NoRoom } from '../store/transaction.js';

/** The calls that are open, so that a stop can end each of them. */
export class OpenCalls {
  private readonly enders = new Set<() => void>();

  /** Notes an open stream. The signal fires when its client goes or the server stops, in which case the stream ends with CANCELLED. */
  track(call: EventEmitter): AbortSignal {
    const gone = new AbortController();
    const end = () => {
      gone.abort();
      call.emit('error', stopping());
    };
    const forget = () => {
      this.enders.delete(end);
      gone.abort();
    };
    this.enders.add(end);
    call.once('cancelled', forget);
    call.once('finish', forget);
    call.once('close', forget);
    return gone.signal;
  }

  /** How many streams are open. */
  get size(): number {
    return this.enders.size;
  }

  endAll(): void {
    for (const end of [...this.enders]) end();
  }
}

/** Answers a unary call with what `handle` returns, or with its refusal. */
export function answer<Request, Reply>(handle: (request: Request, call: ServerUnaryCall<Request, Reply>) => Promise<Reply> | Reply) {
  return (call: ServerUnaryCall<Request, Reply>, reply: sendUnaryData<Reply>): void => {
    void (async () => {
      try {
        reply(null, await handle(call.request, call));
      } catch (error) {
        reply(asRefusal(error));
      }
    })();
  };
}

/** Any failure as an answer. What is not a refusal is a defect: it is logged, and the client is not told its insides. */
export function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof RangeError) return new Refusal(status.INVALID_ARGUMENT, error.message);
  if (error instanceof NoRoom) return new Refusal(status.RESOURCE_EXHAUSTED, 'There is no room left on the disk of the event store.');
  if (isDamage(error)) return new Refusal(status.DATA_LOSS, 'The data file of the event store is damaged where this leads to.');
  console.error(JSON.stringify({ level: 'error', msg: 'a call to the event store failed', error: error instanceof Error ? error.stack : String(error) }));
  return new Refusal(status.INTERNAL, 'The event store failed to answer.');
}
