import type { WriteMode } from '../../../domain/features/chunk.js';
import { Refusal } from '../../../domain/kit/index.js';
import { inPlaces, placeOf, type RowBatch } from '../../../platform/rows/batch.js';
import type { RequestContext } from '../../kit/command.js';
import type { WriteReply, WriteRequest } from '../incoming.js';
import type { FeatureWriter } from '../write.js';
import { incomingOf, namedColumns, type ColumnNaming, type NamedColumns, type Target } from './naming.js';

/** Rows of one write. Part of the key of each: another number would make other writes of the same file. */
export const rowsOfWrite = 10_000;
/** Writes under way at once: one is read while others are checked and stored. */
const mostUnderWay = 4;
const mostFaults = 100;

/** A file to be stored in a group. */
export interface ImportRequest {
  readonly project: string;
  readonly group: string;
  readonly version?: number;
  readonly mode: WriteMode;
  readonly partial: boolean;
  readonly quarantine: boolean;
  readonly naming: ColumnNaming;
}

/** What has become of the rows of a file. */
export interface ImportReply {
  rowsRead: number;
  rowsWritten: number;
  rowsRejected: number;
  rowsQuarantined: number;
  /** The position of the last event; empty when no row was good. */
  position: string;
  /** Columns of the file that are no key or feature of the group. */
  columnsIgnored: readonly string[];
  /** What is wrong with the rejected rows, by their line or number in the file; the first hundred faults. */
  faults: { readonly place: string; readonly field: string; readonly description: string }[];
}

/**
 * Stores the rows of a file write by write, while it is read. Each write is whole or not at all, and each has a key
 * of its own made from the caller's idempotency key and its place in the file: the same file sent again under the same
 * key stores only what is missing. Fails with the refusal of the first write that is refused, which says how many rows are stored.
 */
export async function importRows(writer: FeatureWriter, target: Target, request: ImportRequest, batches: AsyncIterable<RowBatch>, context: RequestContext): Promise<ImportReply> {
  const reply: ImportReply = { rowsRead: 0, rowsWritten: 0, rowsRejected: 0, rowsQuarantined: 0, position: '', columnsIgnored: [], faults: [] };
  const underWay: { readonly batch: RowBatch; readonly answer: Promise<WriteReply> }[] = [];
  const countOldest = async () => {
    const { batch, answer } = underWay.shift()!;
    count(reply, batch, await answer.catch((error: unknown) => Promise.reject(inFile(error, batch))));
  };
  let columns: NamedColumns | undefined;
  let appended: Promise<unknown> = Promise.resolve();
  try {
    for await (const batch of batches) {
      context.signal?.throwIfAborted();
      columns ??= namedColumns(batch, target, request.naming);
      // Writes are made ready side by side, but their appends start in order.
      const started = Promise.all([writer.prepare(writeOf(request, batch, columns), contextOf(context, batch)), appended]).then(([write]) => ({ answer: write() }));
      appended = started.catch(() => 'its answer says why');
      const answer = started.then((begun) => begun.answer);
      answer.catch(() => 'said when its turn comes');
      underWay.push({ batch, answer });
      if (underWay.length >= mostUnderWay) await countOldest();
    }
    while (underWay.length > 0) await countOldest();
  } catch (error) {
    for (const { batch, answer } of underWay) await answer.then((written) => count(reply, batch, written), () => undefined);
    throw error instanceof Refusal && reply.rowsWritten > 0 ? withStored(error, reply, context) : error;
  }
  return { ...reply, columnsIgnored: columns?.ignored ?? [] };
}

function writeOf({ naming: _, ...request }: ImportRequest, batch: RowBatch, columns: NamedColumns): WriteRequest {
  return { ...request, rows: incomingOf(batch, columns), sourceOf: (row) => placeOf(batch, row) };
}

/** The context of one write: its key says which part of which import it is. */
const contextOf = (context: RequestContext, { first }: RowBatch): RequestContext =>
  context.idempotencyKey === undefined ? context : (Object.create(context, { idempotencyKey: { value: `${context.idempotencyKey}:${first}` } }) as RequestContext);

function count(reply: ImportReply, batch: RowBatch, { rowsWritten, rowsRejected, rowsQuarantined, position, faults }: WriteReply): void {
  reply.rowsRead += batch.rows;
  reply.rowsWritten += rowsWritten;
  reply.rowsRejected += rowsRejected;
  reply.rowsQuarantined += rowsQuarantined;
  if (position !== '') reply.position = position;
  for (const { row, field, description } of faults.slice(0, mostFaults - reply.faults.length)) reply.faults.push({ place: placeOf(batch, row), field, description: inPlaces(description, (other) => placeOf(batch, other)) });
}

/** A refusal that names rows by their place in the file, where a write counts them from zero. */
function inFile(error: unknown, batch: RowBatch): unknown {
  if (!(error instanceof Refusal)) return error;
  const renamed = (text: string) => inPlaces(text, (row) => placeOf(batch, row));
  const fields = error.details.fields?.map(({ field, description }) => ({ field: renamed(field), description: renamed(description) }));
  return new Refusal(error.code, renamed(error.message), { ...error.details, ...(fields && { fields }) });
}

function withStored(error: Refusal, { rowsWritten }: ImportReply, { idempotencyKey }: RequestContext): Refusal {
  const again = idempotencyKey === undefined ? '' : '; sent again under the same key, the file stores only what is missing';
  return new Refusal(error.code, `${error.message} (${rowsWritten} rows of the file are stored and stay${again})`, { ...error.details, metadata: { ...error.details.metadata, rowsWritten: String(rowsWritten) } });
}
