import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { drained } from '../drained.js';
import type { ServiceClient } from '../grpc.js';
import type { Column } from './columns.js';
import type { RowMessage } from './rows-of-batch.js';

/** One request of `StreamWrite`: rows of one group as columns. */
export interface WriteRequest {
  readonly project: string;
  readonly group: string;
  /** 1 for online only, 2 for the history only, 3 for both. */
  readonly mode: 1 | 2 | 3;
  readonly partial?: boolean;
  readonly quarantine?: boolean;
  /** For the quarantine, where each row stands in the file. */
  readonly lines?: readonly number[];
  readonly batch?: { readonly keys: readonly Column[]; readonly eventTimeUs: readonly number[]; readonly features: readonly Column[] };
  /** In place of a batch. */
  readonly rows?: readonly RowMessage[];
}

/** The answer to it. */
export interface WriteAnswer {
  readonly requestId: string;
  readonly written?: { readonly position: string; readonly rowsWritten: number; readonly rowsRejected: number; readonly rowsQuarantined: number; readonly faults: readonly Fault[] };
  readonly refusal?: { readonly code: string; readonly reason: string; readonly message: string; readonly fields: readonly { readonly field: string; readonly description: string }[] };
}
export interface Fault {
  readonly row: number;
  readonly field: string;
  readonly description: string;
}

/** A stream of writes with a bounded number of requests under way; the answers come in the order of the requests. */
export class RowStream {
  private readonly call: ClientDuplexStream<{ write: WriteRequest; requestId: string }, WriteAnswer>;
  private readonly waiting: { resolve: (answer: WriteAnswer) => void; reject: (error: Error) => void }[] = [];
  private readonly ended = Promise.withResolvers<void>();
  private failure?: Error;
  private writable = Promise.resolve();

  constructor(private readonly client: ServiceClient) {
    this.call = client.duplex('StreamWrite');
    this.call.on('data', (answer: WriteAnswer) => this.waiting.shift()?.resolve(answer));
    this.call.on('error', (error: ServiceError) => this.fail(client.failureOf(error)));
    this.call.on('end', () => this.ended.resolve());
    // Whoever sends hears of a failure; nobody may be waiting for the end yet.
    this.ended.promise.catch(() => undefined);
  }

  /** Requests that have no answer yet. */
  get underWay(): number {
    return this.waiting.length;
  }

  /** Sends a request when the connection takes more; `answer` resolves when it is acknowledged as durable. */
  async send(write: WriteRequest, requestId: string): Promise<{ answer: Promise<WriteAnswer> }> {
    await this.writable;
    if (this.failure) throw this.failure;
    const answer = new Promise<WriteAnswer>((resolve, reject) => this.waiting.push({ resolve, reject }));
    // A failed call rejects all answers at once, also those that nobody waits for yet.
    answer.catch(() => undefined);
    if (!this.call.write({ write, requestId })) this.writable = drained(this.call);
    return { answer };
  }

  /** Says that no more comes, and waits for the last answers. */
  async close(): Promise<void> {
    this.call.end();
    await this.ended.promise;
  }

  private fail(failure: Error): void {
    this.failure = failure;
    for (const { reject } of this.waiting.splice(0)) reject(failure);
    this.ended.reject(failure);
  }
}
