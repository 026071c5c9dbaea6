import type { SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { textOf, type ColumnType, type TableWriter, type TypedColumn, type TypedTable } from './typed.js';

/** Rows of one row group: enough to compress well, few enough to be held while they are written. */
const mostRows = 100_000;

/** Writes tables with the same columns as a Parquet file, a piece for each row group. */
export class ParquetTableWriter implements TableWriter {
  private readonly bytes = new ByteWriter();
  private writer?: ParquetWriter;

  *write({ columns, rows }: TypedTable): Generator<Uint8Array> {
    const writer = this.begin(columns);
    for (let from = 0; from < rows; from += mostRows) {
      const length = Math.min(mostRows, rows - from);
      // Into memory, so there is nothing to wait for.
      void writer.write({ columnData: columns.map((column) => ({ name: column.name, data: valuesOf(column, from, length) })), rowGroupSize: mostRows });
      yield this.take();
    }
  }

  finish(): Uint8Array {
    void this.begin([]).finish();
    return this.take();
  }

  private begin(columns: readonly TypedColumn[]): ParquetWriter {
    return (this.writer ??= new ParquetWriter({ writer: this.bytes, schema: schemaOf(columns), createdBy: 'TARL OS' }));
  }

  /** What has been written since; the writer goes on counting from the beginning of the file. */
  private take(): Uint8Array {
    const piece = this.bytes.getBytes().slice();
    this.bytes.index = 0;
    return piece;
  }
}

const schemaOf = (columns: readonly TypedColumn[]): SchemaElement[] => [{ name: 'root', num_children: columns.length }, ...columns.flatMap(({ name, type }) => elements[type](name))];

const optional = { repetition_type: 'OPTIONAL' } as const;

const elements: Record<ColumnType, (name: string) => SchemaElement[]> = {
  INT64: (name) => [{ name, type: 'INT64', ...optional }],
  DOUBLE: (name) => [{ name, type: 'DOUBLE', ...optional }],
  STRING: (name) => [{ name, type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' }, ...optional }],
  BOOL: (name) => [{ name, type: 'BOOLEAN', ...optional }],
  TIMESTAMP: (name) => [{ name, type: 'INT64', converted_type: 'TIMESTAMP_MICROS', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' }, ...optional }],
  DOUBLE_LIST: (name) => [
    { name, converted_type: 'LIST', logical_type: { type: 'LIST' }, num_children: 1, ...optional },
    { name: 'list', num_children: 1, repetition_type: 'REPEATED' },
    { name: 'element', type: 'DOUBLE', ...optional },
  ],
};

function valuesOf({ type, at }: TypedColumn, from: number, length: number): unknown[] {
  const read = readers[type];
  return Array.from({ length }, (_, row) => {
    const value = at(from + row);
    return value === null || value === undefined ? null : read(value);
  });
}

const readers: Record<ColumnType, (value: unknown) => unknown> = {
  INT64: (value) => BigInt(value as number | string),
  DOUBLE: Number,
  STRING: textOf,
  BOOL: (value) => value,
  TIMESTAMP: (value) => BigInt(value as number),
  DOUBLE_LIST: (value) => value,
};
