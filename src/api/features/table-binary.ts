import { parseTimeUs } from '../../domain/features/times.js';
import type { TrainingColumn, TrainingSet } from '../../projections/features/history/training-set.js';
import { ArrowWriter } from '../../platform/rows/arrow-writer.js';
import { ParquetTableWriter } from '../../platform/rows/parquet-writer.js';
import { piecesOf, typeOfValues, type ColumnType, type TypedColumn, type TypedTable } from '../../platform/rows/typed.js';
import type { TableFormat } from './table-text.js';

/** Apache Arrow's IPC stream: pandas, scikit-learn, PyTorch and TensorFlow read it without a copy. */
export const arrow: TableFormat = { mediaType: 'application/vnd.apache.arrow.stream', write: (tables, timeColumn) => piecesOf(new ArrowWriter(), typed(tables, timeColumn)) };

/** Apache Parquet. */
export const parquet: TableFormat = { mediaType: 'application/vnd.apache.parquet', write: (tables, timeColumn) => piecesOf(new ParquetTableWriter(), typed(tables, timeColumn)) };

/** Gives every column its type: that of the feature, or for a column of the request what its values are; the times of the rows are TIMESTAMP however they were given. */
async function* typed(tables: AsyncIterable<TrainingSet>, timeColumn?: string): AsyncGenerator<TypedTable> {
  let types: ReadonlyMap<string, ColumnType> | undefined;
  for await (const { rows, columns } of tables) {
    types ??= new Map(columns.map((column) => [column.name, typeOf(column, rows, timeColumn)]));
    yield { rows, columns: columns.map((column) => typedColumn(column, types!.get(column.name)!)) };
  }
}

const typeOf = ({ name, type, at }: TrainingColumn, rows: number, timeColumn: string | undefined): ColumnType =>
  type ?? (name === timeColumn ? 'TIMESTAMP' : typeOfValues(valuesOf(at, rows)));

function* valuesOf(at: TrainingColumn['at'], rows: number): Generator<unknown> {
  for (let row = 0; row < rows; row++) yield at(row);
}

function typedColumn({ name, dimensions, at }: TrainingColumn, type: ColumnType): TypedColumn {
  if (type !== 'TIMESTAMP') return { name, type, dimensions, at };
  return {
    name,
    type,
    at: (row) => {
      const value = at(row);
      return typeof value === 'string' ? parseTimeUs(value) : value;
    },
  };
}
