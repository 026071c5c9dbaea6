import {
  AsyncByteQueue, Bool, Field, FixedSizeList, Float64, Int64, List, makeData, RecordBatch, RecordBatchStreamWriter, Schema, Struct, TimestampMicrosecond, Utf8,
  type Data, type DataType,
} from 'apache-arrow';
import { textOf, type ColumnType, type TableWriter, type TypedColumn, type TypedTable } from './typed.js';

/** Rows of one record batch. */
const mostRows = 65_536;

/** Writes tables with the same columns as an Arrow IPC stream, a piece for each record batch. */
export class ArrowWriter implements TableWriter {
  private readonly pieces = new Pieces();
  private readonly writer = new RecordBatchStreamWriter({ autoDestroy: false });
  private schema?: Schema;

  *write({ columns, rows }: TypedTable): Generator<Uint8Array> {
    const schema = this.begin(columns);
    for (let from = 0; from < rows; from += mostRows) {
      const length = Math.min(mostRows, rows - from);
      const children = columns.map((column) => dataOf(column, from, length));
      this.writer.write(new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length, nullCount: 0, children })));
      yield this.pieces.take();
    }
  }

  finish(): Uint8Array {
    this.begin([]);
    this.writer.finish();
    return this.pieces.take();
  }

  private begin(columns: readonly TypedColumn[]): Schema {
    if (this.schema === undefined) this.writer.reset(this.pieces, (this.schema = schemaOf(columns)));
    return this.schema;
  }
}

/** Keeps what the writer writes until it is taken. */
class Pieces extends AsyncByteQueue {
  private readonly held: Uint8Array[] = [];

  override write(value: Uint8Array): void {
    this.held.push(value);
  }

  take(): Uint8Array {
    return Buffer.concat(this.held.splice(0));
  }
}

const schemaOf = (columns: readonly TypedColumn[]): Schema => new Schema(columns.map((column) => new Field(column.name, types[column.type](column), true)));

const element = new Field('item', new Float64(), true);

const types: Record<ColumnType, (column: TypedColumn) => DataType> = {
  INT64: () => new Int64(),
  DOUBLE: () => new Float64(),
  STRING: () => new Utf8(),
  BOOL: () => new Bool(),
  TIMESTAMP: () => new TimestampMicrosecond('UTC'),
  DOUBLE_LIST: ({ dimensions }) => (dimensions === undefined ? new List(element) : new FixedSizeList(dimensions, element)),
};

/** Some rows of a column in Arrow's memory format. */
function dataOf(column: TypedColumn, from: number, length: number): Data {
  const values = Array.from({ length }, (_, row) => column.at(from + row) ?? null);
  const nulls = nullsOf(values);
  switch (column.type) {
    case 'INT64':
      return makeData({ type: new Int64(), length, ...nulls, data: BigInt64Array.from(values, (value) => BigInt((value ?? 0) as number)) });
    case 'DOUBLE':
      return makeData({ type: new Float64(), length, ...nulls, data: Float64Array.from(values, (value) => Number(value ?? 0)) });
    case 'BOOL':
      return makeData({ type: new Bool(), length, ...nulls, data: bitsOf(values, (value) => value === true) });
    case 'TIMESTAMP':
      return makeData({ type: new TimestampMicrosecond('UTC'), length, ...nulls, data: BigInt64Array.from(values, (value) => BigInt((value ?? 0) as number)) });
    case 'STRING':
      return makeData({ type: new Utf8(), length, ...nulls, ...textsOf(values) });
    case 'DOUBLE_LIST':
      return column.dimensions === undefined ? listsOf(values, nulls) : fixedListsOf(values, nulls, column.dimensions);
  }
}

interface Nulls {
  readonly nullCount: number;
  readonly nullBitmap?: Uint8Array;
}

function nullsOf(values: readonly unknown[]): Nulls {
  let nullCount = 0;
  for (const value of values) if (value === null) nullCount++;
  return nullCount === 0 ? { nullCount } : { nullCount, nullBitmap: bitsOf(values, (value) => value !== null) };
}

function bitsOf(values: readonly unknown[], isSet: (value: unknown) => boolean): Uint8Array {
  const bits = new Uint8Array(Math.ceil(values.length / 64) * 8);
  for (let row = 0; row < values.length; row++) if (isSet(values[row])) bits[row >> 3]! |= 1 << (row & 7);
  return bits;
}

function textsOf(values: readonly unknown[]): { valueOffsets: Int32Array; data: Uint8Array } {
  const texts = values.map((value) => (value === null ? '' : textOf(value)));
  const data = Buffer.from(texts.join(''));
  const valueOffsets = new Int32Array(values.length + 1);
  for (let row = 0; row < texts.length; row++) valueOffsets[row + 1] = valueOffsets[row]! + Buffer.byteLength(texts[row]!);
  return { valueOffsets, data };
}

const doublesOf = (values: number[]): Data<Float64> => makeData({ type: new Float64(), length: values.length, nullCount: 0, data: Float64Array.from(values) });

function listsOf(values: readonly unknown[], nulls: Nulls): Data {
  const lists = values as readonly (readonly number[] | null)[];
  const valueOffsets = new Int32Array(lists.length + 1);
  for (let row = 0; row < lists.length; row++) valueOffsets[row + 1] = valueOffsets[row]! + (lists[row]?.length ?? 0);
  return makeData({ type: new List(element), length: lists.length, ...nulls, valueOffsets, child: doublesOf(lists.flatMap((list) => list ?? [])) });
}

function fixedListsOf(values: readonly unknown[], nulls: Nulls, dimensions: number): Data {
  const none = new Array<number>(dimensions).fill(0);
  const lists = values as readonly (readonly number[] | null)[];
  return makeData({ type: new FixedSizeList(dimensions, element), length: lists.length, ...nulls, child: doublesOf(lists.flatMap((list) => list ?? none)) });
}
