import { DataType, makeVector, RecordBatchReader, TimeUnit, type Data, type RecordBatch, type Timestamp, type Vector } from 'apache-arrow';
import type { FileHandle } from 'node:fs/promises';
import { Refusal } from '../../domain/kit/index.js';
import { RowsError, type ReadFrom, type RowBatch } from './batch.js';
import { takeCompressed } from './arrow-compression.js';
import { decimalOf, microsecondsOf } from './decimal.js';
import type { ColumnType } from './typed.js';

takeCompressed();

/** An Arrow IPC stream, or a file in Arrow's (Feather's) format, which is read from its end and so must be open. */
export type ArrowSource = AsyncIterable<Uint8Array> | FileHandle;

/**
 * The rows of Arrow data, cut where its own record batches end and at most `batchRows` together: times as microseconds
 * since the Unix epoch, 64-bit integers as bigint.
 */
export async function* arrowBatches(source: ArrowSource, batchRows: number, { rows: after }: ReadFrom = { rows: 0 }): AsyncGenerator<RowBatch> {
  let before = 0;
  for await (const batch of recordBatches(source)) {
    const { numRows } = batch;
    for (let from = Math.max(0, after - before); from < numRows; from += batchRows) {
      const slice = batch.slice(from, Math.min(numRows, from + batchRows));
      yield { first: before + from + 1, rows: slice.numRows, columns: columnsOf(slice), types: typesOf(batch) };
    }
    before += numRows;
  }
}

async function* recordBatches(source: ArrowSource): AsyncGenerator<RecordBatch> {
  let rows = 0;
  try {
    const reader = await RecordBatchReader.from(source as AsyncIterable<Uint8Array>);
    await reader.open({ autoDestroy: false });
    if (!reader.schema) throw new RowsError('This is not Arrow data: it has no schema');
    for await (const batch of reader as AsyncIterable<RecordBatch>) {
      yield batch;
      rows += batch.numRows;
    }
  } catch (error) {
    if (error instanceof Refusal || isOfSystem(error)) throw error;
    // The library throws plain errors about what it cannot read, and type errors about what is damaged.
    throw new RowsError(rows === 0 ? `This is not Arrow data that can be read: ${(error as Error).message}` : `The Arrow data breaks off or is damaged after row ${rows}: ${(error as Error).message}`);
  }
}

const columnsOf = (batch: RecordBatch): Map<string, unknown[]> => new Map(batch.schema.fields.map(({ name }, at) => [name, valuesOf(batch.getChildAt(at)!)]));

/** A connection that broke or a disk that failed says nothing of the data. */
const isOfSystem = (error: unknown): boolean => /^E(?!RR_)/.test((error as NodeJS.ErrnoException).code ?? '');

function typesOf({ schema }: RecordBatch): Map<string, ColumnType> {
  return new Map(schema.fields.flatMap(({ name, type }) => {
    const own = typeOf(type);
    return own ? [[name, own] as const] : [];
  }));
}

function typeOf(type: DataType): ColumnType | undefined {
  if (DataType.isDictionary(type)) return typeOf(type.dictionary);
  if (DataType.isInt(type)) return 'INT64';
  if (DataType.isFloat(type)) return 'DOUBLE';
  if (DataType.isDecimal(type)) return type.scale > 0 ? 'DOUBLE' : type.precision <= 18 ? 'INT64' : undefined;
  if (DataType.isBool(type)) return 'BOOL';
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) return 'STRING';
  if (DataType.isTimestamp(type) || DataType.isDate(type)) return 'TIMESTAMP';
  return undefined;
}

/** The values of a column as plain ones. */
export function valuesOf(vector: Vector): unknown[] {
  const values: unknown[] = [];
  for (const data of vector.data) for (const value of valuesIn(data)) values.push(value);
  return values;
}

function valuesIn(data: Data): unknown[] {
  const { type, length } = data;
  if (DataType.isTimestamp(type)) return filled(data, length, timesIn(data as Data<Timestamp>, type.unit));
  const vector = makeVector(data);
  const read = readerOf(type);
  return filled(data, length, (row) => read(vector.get(row)));
}

const filled = (data: Data, length: number, at: (row: number) => unknown): unknown[] =>
  Array.from({ length }, data.nullCount === 0 ? (_, row) => at(row) : (_, row) => (data.getValid(row) ? at(row) : null));

/** The library gives times as milliseconds in a double, which does not hold the microseconds of every year: so they are read as they stand. */
function timesIn({ values }: Data<Timestamp>, unit: TimeUnit): (row: number) => number {
  switch (unit) {
    case TimeUnit.SECOND:
      return (row) => Number(values[row]!) * 1_000_000;
    case TimeUnit.MILLISECOND:
      return (row) => Number(values[row]!) * 1000;
    case TimeUnit.MICROSECOND:
      return (row) => Number(values[row]!);
    case TimeUnit.NANOSECOND:
      return (row) => microsecondsOf(values[row]!);
  }
}

function readerOf(type: DataType): (value: any) => unknown {
  if (DataType.isDate(type)) return (ms: number | bigint) => Number(ms) * 1000;
  if (DataType.isDecimal(type)) return (words: Uint32Array) => decimalOf(wholeOf(words), type.scale);
  if (DataType.isList(type) || DataType.isFixedSizeList(type)) return (list: Vector) => valuesOf(list);
  return (value) => value;
}

/** Words of 32 bits, the lowest first, in two's complement. */
const wholeOf = (words: Uint32Array): bigint => BigInt.asIntN(words.length * 32, words.reduceRight((whole, word) => (whole << 32n) | BigInt(word), 0n));
