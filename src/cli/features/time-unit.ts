import { InvalidArgumentError, Option } from 'commander';
import { timeUnitShape, timeUnitsOf, timeUnitWords, withTimes, type TimeUnit } from '../../commands/features/file-times.js';
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

/** The rows of a file that is asked about, with their times read. */
export async function* timesRead(batches: AsyncIterable<RowBatch>, eventTime: string, units: readonly string[]): AsyncGenerator<RowBatch> {
  for await (const batch of batches) yield withTimes(batch, { eventTime, columns: [], units: timeUnitsOf(units), say: sayTimeUnit });
}
