import type { ServiceError } from '@grpc/grpc-js';
import { drained } from '../drained.js';
import type { ServiceClient } from '../grpc.js';
import type { OutColumn } from '../rows/sink.js';
import { readerOf, typeOfColumn } from './answers.js';
import type { Column } from './columns.js';
import type { KnownAtMessage, Timestamp } from './known-at.js';

/** What is asked, before any rows. */
export interface HistoricalQuestion {
  readonly project: string;
  readonly features: readonly string[];
  readonly service?: string;
  readonly aliases?: readonly { readonly alias: string; readonly group: string; readonly keyColumns: Readonly<Record<string, string>> }[];
  readonly fullNames?: boolean;
  readonly knownAt?: KnownAtMessage;
  readonly timeColumn?: string;
  readonly start?: Timestamp;
  readonly end?: Timestamp;
}

/** Some of the rows to join features to. */
export interface MomentColumns {
  readonly columns: readonly Column[];
  readonly rowTimeUs: readonly number[];
}

/** Some rows of the answer. */
export interface HistoricalTable {
  readonly rows: number;
  readonly columns: readonly OutColumn[];
  readonly knownAt: KnownAtMessage;
}

interface Batch {
  readonly rows: number;
  readonly columns: readonly Column[];
  readonly knownAt?: KnownAtMessage;
}

/** Sends the rows batch by batch, however many there are; the answer begins when the last has been sent. Without moments it asks for a range. */
export async function* askHistorical(client: ServiceClient, question: HistoricalQuestion, moments: AsyncIterable<MomentColumns> = none()): AsyncGenerator<HistoricalTable> {
  const call = client.duplex<object, Batch>('StreamHistoricalFeatures');
  const failed = new Promise<never>((_, reject) => call.once('error', (error: ServiceError) => reject(client.failureOf(error))));
  // Whoever waits for the connection or for an answer hears of it.
  failed.catch(() => undefined);
  let first = true;
  for await (const some of moments) {
    if (call.destroyed) break;
    if (!call.write(first ? { ...question, ...some } : some)) await drained(call);
    first = false;
  }
  if (first) call.write(question);
  if (!call.destroyed) call.end();
  yield* tablesOf(call, failed);
}

async function* none(): AsyncGenerator<never> {}

async function* tablesOf(call: AsyncIterable<Batch>, failed: Promise<never>): AsyncGenerator<HistoricalTable> {
  const batches = call[Symbol.asyncIterator]();
  for (;;) {
    // The failure as a sentence comes before the stream's own error.
    const next = await Promise.race([failed, batches.next().catch(() => failed)]);
    if (next.done) return;
    const { rows, columns, knownAt = {} } = next.value;
    yield { rows, knownAt, columns: columns.map((column) => ({ name: column.name, type: typeOfColumn(column), at: readerOf(column) })) };
  }
}
