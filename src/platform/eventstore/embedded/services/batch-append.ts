import { status, type ServerDuplexStream } from '@grpc/grpc-js';
import { callerOf } from '../access/caller.js';
import { invalidStreamName, isStreamName, Refusal } from '../refusals.js';
import { Outlet } from '../reading/outlet.js';
import { NoRoom } from '../store/transaction.js';
import type { EventStore, WriteOutcome } from '../store/event-store.js';
import type { FramedMessages } from '../wire/framed.js';
import type { ProposedEvent } from '../wire/recorded-event.js';
import { batchFailure, batchSuccess, type BatchProblem } from '../wire/replies.js';
import type { BatchMessage } from '../wire/write-requests.js';
import { asRefusal } from './calls.js';
import { sizeOf, type StreamsLimits } from './append-size.js';

/** An append that came in part: more of its events are to follow. */
interface Unfinished {
  readonly target: NonNullable<BatchMessage['target']>;
  readonly events: ProposedEvent[];
  bytes: number;
}

/** Appends that one call may have begun and not ended, and their bytes: a client that never ends any must not fill the memory. */
const MOST_UNFINISHED = 1_000;
const MOST_UNFINISHED_BYTES = 32 * 1024 * 1024;

/** One BatchAppend call: many appends, each answered by its correlation id when it is durable. */
export class BatchAppends {
  private readonly unfinished = new Map<string, Unfinished>();
  private readonly outlet: Outlet;
  private isFlushing = false;
  private unanswered = 0;
  private hasEnded = false;

  constructor(
    private readonly store: EventStore,
    private readonly limits: StreamsLimits,
    private readonly call: ServerDuplexStream<BatchMessage, FramedMessages>,
    private readonly gone: AbortSignal,
  ) {
    this.outlet = new Outlet(call as never);
  }

  serve(): void {
    this.call.on('data', (message: BatchMessage) => this.take(message));
    this.call.on('end', () => {
      this.hasEnded = true;
      this.endWhenAnswered();
    });
  }

  private take(message: BatchMessage): void {
    const key = message.correlation.toString('latin1');
    const earlier = this.unfinished.get(key);
    const target = earlier?.target ?? message.target;
    if (target === undefined) {
      if (message.isFinal) this.refuse(message.correlation, '', { kind: 'bad-request', reason: 'An append begins with its options.' });
      return;
    }
    const append: Unfinished = earlier ?? { target, events: [], bytes: 0 };
    for (const event of message.events) append.bytes += sizeOf(event);
    // What is too large is refused at its end; until then there is no need to keep it.
    if (append.bytes <= this.limits.maxAppendBytes) append.events.push(...message.events);
    else append.events.length = 0;
    if (!message.isFinal) {
      this.unfinished.set(key, append);
      this.requireRoom();
      return;
    }
    this.unfinished.delete(key);
    this.write(message.correlation, append);
  }

  private requireRoom(): void {
    let kept = 0;
    for (const { bytes } of this.unfinished.values()) kept += bytes <= this.limits.maxAppendBytes ? bytes : 0;
    if (kept <= MOST_UNFINISHED_BYTES && this.unfinished.size <= MOST_UNFINISHED) return;
    this.unfinished.clear();
    this.call.emit('error', new Refusal(status.RESOURCE_EXHAUSTED, 'Too many appends of this call have begun and not ended.'));
  }

  private write(correlation: Buffer, { target, events, bytes }: Unfinished): void {
    const { stream, expected, deadlineMs } = target;
    if (!isStreamName(stream)) return this.refuse(correlation, stream, { kind: 'bad-request', reason: invalidStreamName(stream).details });
    if (bytes > this.limits.maxAppendBytes) return this.refuse(correlation, stream, { kind: 'too-large', limit: this.limits.maxAppendBytes });
    if (!callerOf(this.call).mayStream('write', stream)) return this.refuse(correlation, stream, { kind: 'access-denied' });
    if (deadlineMs !== undefined && deadlineMs < Date.now()) return this.refuse(correlation, stream, { kind: 'timeout' });
    this.unanswered++;
    const begun = performance.now();
    this.store.append(stream, expected, events, (outcome, failure) => {
      this.unanswered--;
      this.limits.appended?.('Streams/BatchAppend', stream, events.length, performance.now() - begun);
      if (failure !== undefined) this.refuse(correlation, stream, { kind: failure instanceof NoRoom ? 'no-room' : 'unknown', reason: asRefusal(failure).details });
      else this.answer(correlation, target, outcome);
      this.endWhenAnswered();
    });
  }

  private answer(correlation: Buffer, { stream, expected }: Unfinished['target'], outcome: WriteOutcome): void {
    switch (outcome.kind) {
      case 'written':
        return this.send(batchSuccess(correlation, stream, outcome));
      case 'wrong-version':
        return this.refuse(correlation, stream, { kind: 'wrong-version', actual: outcome.actual, expected });
      case 'deleted':
        return this.refuse(correlation, stream, { kind: 'deleted' });
    }
  }

  private refuse(correlation: Buffer, stream: string, problem: BatchProblem): void {
    this.send(batchFailure(correlation, stream, problem));
  }

  /** Answers of one commit go out in one write. */
  private send(framed: Buffer): void {
    if (this.gone.aborted) return;
    this.outlet.add(framed);
    if (this.isFlushing) return;
    this.isFlushing = true;
    queueMicrotask(() => {
      this.isFlushing = false;
      void this.outlet.flush();
    });
  }

  private endWhenAnswered(): void {
    if (this.hasEnded && this.unanswered === 0 && !this.gone.aborted) void this.outlet.flush().then(() => this.call.end());
  }
}
