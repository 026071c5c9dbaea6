import type { FileMetaData, ParquetParsers } from 'hyparquet';
import { decimalOf, microsecondsOf, signedOf } from './decimal.js';
import type { ColumnType } from './typed.js';

type Element = FileMetaData['schema'][number];
type Read = (value: unknown) => unknown;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** How values come out of Parquet: times as microseconds since the Unix epoch, finer digits cut off; bytes that are no UTF-8 stay bytes, which are no text. */
export const parsers: Partial<ParquetParsers> = {
  timestampFromMilliseconds: (ms) => Number(ms) * 1000,
  timestampFromMicroseconds: Number,
  timestampFromNanoseconds: microsecondsOf,
  dateFromDays: (days) => days * 86_400_000_000,
  stringFromBytes: textOf,
};

/** The schema with which a file is read: the library would multiply decimals by an inexact power of ten, so they come as the whole numbers that they are stored as. */
export const plainSchema = (schema: readonly Element[]): Element[] => schema.map((element) => (isDecimal(element) ? { ...element, converted_type: undefined, logical_type: undefined } : element));

/** What makes the values of a column of what the library gives: for columns of decimals and of bytes without a type, in lists too. */
export function readerOf(leaf: Element): Read | undefined {
  const read = isDecimal(leaf) ? (value: unknown) => decimalOf(value instanceof Uint8Array ? signedOf(value) : BigInt(value as number | bigint), scaleOf(leaf)) : isBytes(leaf) ? (value: unknown) => textOf(value as Uint8Array) : undefined;
  return read && ((value) => within(value, read));
}

/** The type of a column's values, where it has one of ours. */
export function typeOf(element: Element): ColumnType | undefined {
  const { type, converted_type: converted, logical_type: logical } = element;
  if (type === 'INT96' || logical?.type === 'TIMESTAMP' || logical?.type === 'DATE' || converted === 'DATE' || converted?.startsWith('TIMESTAMP')) return 'TIMESTAMP';
  if (isDecimal(element)) return scaleOf(element) > 0 ? 'DOUBLE' : precisionOf(element) <= 18 ? 'INT64' : undefined;
  switch (type) {
    case 'INT32':
    case 'INT64':
      return 'INT64';
    case 'FLOAT':
    case 'DOUBLE':
      return 'DOUBLE';
    case 'BOOLEAN':
      return 'BOOL';
    default:
      return converted === 'UTF8' || logical?.type === 'STRING' ? 'STRING' : undefined;
  }
}

const isDecimal = ({ converted_type: converted, logical_type: logical }: Element): boolean => converted === 'DECIMAL' || logical?.type === 'DECIMAL';
const scaleOf = ({ scale, logical_type: logical }: Element): number => (logical?.type === 'DECIMAL' ? logical.scale : (scale ?? 0));
const precisionOf = ({ precision, logical_type: logical }: Element): number => (logical?.type === 'DECIMAL' ? logical.precision : (precision ?? 0));
const isBytes = ({ type, converted_type: converted, logical_type: logical }: Element): boolean => type === 'BYTE_ARRAY' && converted === undefined && logical === undefined;

function within(value: unknown, read: Read): unknown {
  if (value === null || value === undefined) return value;
  return Array.isArray(value) ? value.map((element) => within(element, read)) : read(value);
}

function textOf(bytes: Uint8Array): unknown {
  try {
    return bytes && utf8.decode(bytes);
  } catch {
    return bytes;
  }
}
