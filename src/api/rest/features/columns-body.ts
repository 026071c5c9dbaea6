import { int64Of } from '../../../domain/features/int64.js';
import type { FeatureType } from '../../../domain/features/values.js';
import type { RequestColumns } from '../../features/history-json.js';
import { arrowBatches } from '../../../platform/rows/arrow.js';
import type { RowBatch } from '../../../platform/rows/batch.js';
import { parquetIn } from '../../../platform/rows/parquet.js';
import { typeOfValues } from '../../../platform/rows/typed.js';

/** A body of rows in columns; whole numbers of 64 bits in their one form, times as microseconds. */
export class ColumnsBody implements RequestColumns {
  constructor(
    readonly rows: number,
    readonly columns: ReadonlyMap<string, readonly unknown[]>,
    readonly types: ReadonlyMap<string, FeatureType>,
  ) {}
}

const all = Number.MAX_SAFE_INTEGER;

/** Reads Arrow, a stream of it or a file. */
export const readArrow = (body: Buffer): Promise<ColumnsBody> => gather(arrowBatches(pieces(body), all));

/** Reads a Parquet file. */
export async function readParquet(body: Buffer): Promise<ColumnsBody> {
  return gather((await parquetIn(body, 'The body')).batches(all));
}

async function* pieces(body: Buffer): AsyncGenerator<Buffer> {
  yield body;
}

async function gather(batches: AsyncIterable<RowBatch>): Promise<ColumnsBody> {
  const columns = new Map<string, unknown[]>();
  const known = new Map<string, FeatureType>();
  let rows = 0;
  for await (const batch of batches) {
    for (const [name, values] of batch.columns) {
      const column = columns.get(name) ?? new Array<unknown>(rows).fill(null);
      columns.set(name, column);
      for (const value of values) column.push(value);
    }
    for (const [name, type] of batch.types ?? []) known.set(name, type);
    rows += batch.rows;
  }
  const types = new Map<string, FeatureType>();
  for (const [name, values] of columns) {
    types.set(name, known.get(name) ?? typeOfValues(values));
    for (let row = 0; row < values.length; row++) {
      if (typeof values[row] !== 'bigint') continue;
      const whole = int64Of(values[row]);
      // An unsigned number or a decimal may have more than 64 bits have room for.
      if (whole === undefined) types.set(name, 'STRING');
      values[row] = whole ?? String(values[row]);
    }
  }
  return new ColumnsBody(rows, columns, types);
}
