import type { BatchAppendReq, BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { randomUUID } from 'node:crypto';
import { answerOf } from './append-answer.js';
import { requestsOf, type AppendMessage } from './append-message.js';
import { EventStoreRefused, EventStoreUnavailable, type EventStoreError } from './errors.js';
import { failureOf } from './failures.js';
import { silence } from './reads.js';
import type { AppendResult } from './port.js';
import { uuidOfHalves } from './uuid.js';
import type { UUID } from '@eventstore/db-client/generated/shared_pb.js';

interface Waiting {
  readonly message: AppendMessage;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: EventStoreError) => void;
  readonly timer: NodeJS.Timeout;
  readonly since: number;
  sent: boolean;
}

/** `alone` says that the call serves one append, whose fault a failure of the call then is. */
export interface AppendCallOptions {
  readonly alone: boolean;
  readonly onOver: (call: AppendCall) => void;
  readonly log: (message: string, details: Record<string, unknown>) => void;
}

/**
 * One BatchAppend call, shared by many appends.
 *
 * The client's own keeps the waiting appends of all its calls in one place for the whole process: the failure of
 * one call rejects the appends of every other, an answer to one of those throws where nobody can catch it, and
 * an append under back-pressure leaves an unhandled rejection behind. Either ends the process. Here each call
 * answers for its own appends only, and an answer that nobody waits for is merely logged.
 */
export class AppendCall {
  private readonly waiting = new Map<string, Waiting>();
  private readonly unsent: string[] = [];
  private writable = true;
  private lastHeard = 0;
  private retired = false;
  private over: EventStoreError | undefined;

  constructor(
    private readonly call: ClientDuplexStream<BatchAppendReq, BatchAppendResp>,
    private readonly options: AppendCallOptions,
  ) {
    call.on('data', (response: BatchAppendResp) => this.hear(response));
    call.on('drain', () => {
      this.writable = true;
      this.send();
    });
    call.on('error', (error) => this.fail(error));
    call.on('end', () => this.fail(new Error('the event store ended the call')));
  }

  get usable(): boolean {
    return this.over === undefined && !this.retired;
  }

  /** Sends one append; rejects when the call breaks, when the server refuses, or after `deadlineMs`. */
  append(message: AppendMessage, deadlineMs: number): Promise<AppendResult> {
    if (this.over) return Promise.reject(this.over);
    return new Promise((resolve, reject) => {
      const id = randomUUID();
      const timer = setTimeout(() => this.giveUp(id, deadlineMs), deadlineMs);
      this.waiting.set(id, { message, resolve, reject, timer, since: performance.now(), sent: false });
      this.unsent.push(id);
      if (this.writable) this.send();
    });
  }

  /** Takes no more appends, and ends when the waiting ones are answered. */
  retire(): void {
    this.retired = true;
    if (this.waiting.size === 0 && !this.over) this.call.end();
  }

  /** Ends the call; what still waits fails. */
  cancel(reason: string): void {
    this.fail(new EventStoreUnavailable(reason));
    this.call.cancel();
  }

  private send(): void {
    while (this.writable && this.unsent.length > 0) {
      const id = this.unsent.shift()!;
      const append = this.waiting.get(id);
      if (!append) continue;
      append.sent = true;
      for (const request of requestsOf(append.message, id)) this.writable = this.call.write(request);
    }
  }

  private hear(response: BatchAppendResp): void {
    this.lastHeard = performance.now();
    const id = uuidText(response.getCorrelationId());
    const append = this.waiting.get(id);
    if (!append) {
      this.options.log('The event store answered an append that nobody waits for', { correlationId: id });
      return;
    }
    this.settle(id, append);
    try {
      append.resolve(answerOf(response, append.message));
    } catch (error) {
      append.reject(failureOf(error, { what: whatOf(append), changes: true }));
    }
  }

  private giveUp(id: string, deadlineMs: number): void {
    const append = this.waiting.get(id)!;
    this.settle(id, append);
    append.reject(silence(whatOf(append), deadlineMs, append.sent));
    // A call that has been silent for as long is taken for dead, so that the next append gets a new one.
    if (append.sent && this.lastHeard < append.since) this.cancel('The event store stopped answering appends');
  }

  private fail(error: Error): void {
    if (this.over) return;
    this.over = new EventStoreUnavailable('The call is over', { cause: error });
    for (const [id, append] of this.waiting) {
      this.settle(id, append);
      append.reject(this.failureFor(append, error));
    }
    this.options.onOver(this);
  }

  /** On a shared call, a refusal is the answer to some other append: this one may be sent again. */
  private failureFor(append: Waiting, error: Error): EventStoreError {
    const { stream, expected } = append.message;
    const failure = failureOf(error, { what: whatOf(append), stream, expected, changes: append.sent });
    if (this.options.alone || !(failure instanceof EventStoreRefused)) return failure;
    return new EventStoreUnavailable(failure.message, { cause: error, outcomeUnknown: append.sent });
  }

  private settle(id: string, { timer }: Waiting): void {
    clearTimeout(timer);
    this.waiting.delete(id);
    if (this.retired && this.waiting.size === 0 && !this.over) this.call.end();
  }
}

function whatOf({ message }: Waiting): string {
  return `Appending to ${message.stream}`;
}

/** A UUID as text, whichever of its two shapes the server chose. */
function uuidText(uuid: UUID | undefined): string {
  const halves = uuid?.getStructured();
  if (!halves) return uuid?.getString() ?? '';
  return uuidOfHalves(BigInt(halves.getMostSignificantBits()), BigInt(halves.getLeastSignificantBits()));
}
