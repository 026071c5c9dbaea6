import { InvalidArgumentError, Option } from 'commander';
import { timeUnitShape, timeUnitsOf, timeUnitWords, withTimes, type TimeUnit } from '../../commands/features/file-times.js';
import { formatTimeUs } from '../../domain/features/times.js';
import type { RowBatch } from '../rows/source.js';

/** `--time-unit`: what numbers count that stand for times; may be repeated. */
export const timeUnitOption = (): Option =>
  new Option('--time-unit <unit|column=unit,…>', 'what numbers count that stand for times, since 1970: seconds, milliseconds, microseconds or nanoseconds; microseconds without it, and refused where all event times would lie before 1980')
    .argParser((text: string, before: readonly string[] = []) => [...before, ...text.split(',').map(checked)]).default([], 'microseconds');

function checked(text: string): string {
  if (timeUnitShape.test(text)) return text;
  throw new InvalidArgumentError(`"${text}" is no unit; it ${timeUnitWords}.`);
}

/** How a unit is said on the command line. */
export const sayTimeUnit = (unit: TimeUnit): string => `--time-unit ${unit}`;

/** The rows of a file that is asked about, with their times read; those whose unit is said as texts, which is how they stand beside the answer. */
export async function* timesRead(batches: AsyncIterable<RowBatch>, eventTime: string, units: readonly string[]): AsyncGenerator<RowBatch> {
  for await (const batch of batches) {
    const read = withTimes(batch, { eventTime, columns: [], units: timeUnitsOf(units), say: sayTimeUnit });
    const times = units.length > 0 && batch.types?.get(eventTime) !== 'TIMESTAMP' ? read.columns.get(eventTime) : undefined;
    yield times ? { ...read, columns: new Map([...read.columns, [eventTime, times.map((time) => (typeof time === 'number' ? formatTimeUs(time) : time))]]) } : read;
  }
}
