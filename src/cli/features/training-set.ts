import type { EntityKey } from '../../domain/features/definition.js';
import type { ServiceClient } from '../grpc.js';
import type { RowSource } from '../rows/source.js';
import type { RowSink } from '../rows/sink.js';
import { askHistorical, type HistoricalQuestion } from './historical-call.js';
import type { KnownAtMessage } from './known-at.js';
import { Moments } from './moments.js';

/** What was written to the sink. */
export interface TrainingSetWritten {
  readonly rows: number;
  /** Asked again with this, the rows are the same. */
  readonly knownAt: KnownAtMessage;
}

/** Joins features to the rows of a source, or answers for all entities without one, and writes what comes as it comes. */
export async function writeTrainingSet(client: ServiceClient, question: HistoricalQuestion & { timeColumn: string }, keys: readonly EntityKey[], source: RowSource | undefined, sink: RowSink, written: (rows: number) => void): Promise<TrainingSetWritten> {
  const moments = new Moments(keys, question.timeColumn);
  // The platform gives keys and times back; of a file they stand in its own columns already.
  const inFile = new Set(source ? [question.timeColumn, ...keys.map(({ name }) => name)] : []);
  let rowsWritten = 0;
  let known: KnownAtMessage = {};
  try {
    for await (const { rows, columns, knownAt } of askHistorical(client, question, source && moments.sent(source.batches))) {
      await sink.write([...moments.columnsFrom(rowsWritten), ...columns.filter(({ name }) => moments.rows === 0 || !inFile.has(name))], rows);
      rowsWritten += rows;
      known = knownAt;
      written(rowsWritten);
    }
    await sink.close();
    return { rows: rowsWritten, knownAt: known };
  } catch (error) {
    await sink.abandon();
    throw error;
  }
}
