import { formatTimeUs, inRange, isEventTime } from '../../domain/features/times.js';
import { RowsError, type RowBatch } from '../../platform/rows/batch.js';

/** What the numbers of a file may count that stand for times since the Unix epoch, each in microseconds. */
const units = { seconds: 1_000_000, milliseconds: 1000, microseconds: 1, nanoseconds: 0.001 } as const;
export type TimeUnit = keyof typeof units;
export const timeUnits = Object.keys(units) as readonly TimeUnit[];

/** The units by column; the empty name stands for all columns that have none of their own. */
export type TimeUnits = Readonly<Record<string, TimeUnit>>;

/** `seconds`, or `opened=milliseconds` for one column. */
export const timeUnitShape = new RegExp(`^([^=]+=)?(${timeUnits.join('|')})$`);
export const timeUnitWords = `takes ${timeUnits.join(', ')}, or column=unit for one column`;

/** Reads what has the shape. */
export const timeUnitsOf = (written: readonly string[]): TimeUnits =>
  Object.fromEntries(written.map((text) => [text.slice(0, Math.max(0, text.lastIndexOf('='))), text.slice(text.lastIndexOf('=') + 1) as TimeUnit]));

/** The times of a file: its column of event times, all its columns of times, and what their numbers count. */
export interface FileTimes {
  readonly eventTime: string;
  readonly columns: readonly string[];
  readonly units: TimeUnits;
  /** How a unit is said to whoever forgot it: `timeUnit=seconds`. */
  readonly say: (unit: TimeUnit) => string;
}

/**
 * The batch with the numbers of its time columns in microseconds, where their unit is said. Columns whose type in the file
 * is a time know their unit. Refuses event times that are all numbers and, taken for the microseconds that numbers mean
 * by themselves, lie before 1980 or nowhere: seconds would silently become January 1970.
 */
export function withTimes(batch: RowBatch, { eventTime, columns, units, say }: FileTimes): RowBatch {
  const read = new Map(batch.columns);
  for (const name of new Set([eventTime, ...columns])) {
    const values = batch.columns.get(name);
    if (values === undefined || batch.types?.get(name) === 'TIMESTAMP') continue;
    const unit = units[name] ?? units[''];
    if (unit) read.set(name, values.map((value) => inMicroseconds(value, unit)));
    else if (name === eventTime) requireUnit(name, values, say);
  }
  return { ...batch, columns: read };
}

const digits = /^\s*[-+]?\d+(\.\d*)?\s*$/;
const isNumber = (value: unknown): value is number | bigint | string => typeof value === 'number' || typeof value === 'bigint' || (typeof value === 'string' && digits.test(value));
const earliestPlausibleUs = Date.UTC(1980, 0) * 1000;
const latestPlausibleUs = Date.UTC(2100, 0) * 1000;

/** What is no number stays as it is; a number that is no time becomes a text, which says what it was taken for. */
function inMicroseconds(value: unknown, unit: TimeUnit): unknown {
  if (!isNumber(value)) return value;
  const us = microsecondsOf(value, unit);
  return Number.isNaN(us) ? `${String(value).trim()} ${unit}` : us;
}

function microsecondsOf(value: number | bigint | string, unit: TimeUnit): number {
  // All digits of nanoseconds, which a double does not have.
  if (unit === 'nanoseconds' && /^-?\d+$/.test(String(value).trim())) return inRange(Number(floored(BigInt(value))));
  return inRange(Math.round(Number(value) * units[unit]));
}

const floored = (ns: bigint): bigint => (ns - (((ns % 1000n) + 1000n) % 1000n)) / 1000n;

function requireUnit(column: string, values: readonly unknown[], say: FileTimes['say']): void {
  let first: number | bigint | string | undefined;
  for (const value of values) {
    if (value === null || value === undefined) continue;
    if (!isNumber(value)) return;
    if (typeof value !== 'string' && microsecondsOf(value, 'microseconds') >= earliestPlausibleUs) return;
    first ??= value;
  }
  if (first === undefined) return;
  const likely = timeUnits.find((unit) => isPlausible(microsecondsOf(first, unit)));
  const meant = likely ? `in ${likely} that is ${formatTimeUs(microsecondsOf(first, likely))}` : 'as microseconds they lie before 1980';
  throw new RowsError(`The times in column ${column} are numbers such as ${String(first).trim()}, and nothing says what they count; ${meant}. Say ${say(likely ?? 'microseconds')}, or one of ${timeUnits.join(', ')}`);
}

const isPlausible = (us: number): boolean => isEventTime(us) && us >= earliestPlausibleUs && us < latestPlausibleUs;
