import { withTimes, type FileTimes, type TimeUnits } from '../../commands/features/file-times.js';
import { misused } from '../failures.js';
import { placeOf, RowsError, type RowBatch } from '../rows/source.js';
import { columnOf } from './columns.js';
import type { Group } from './group.js';
import type { WriteRequest } from './row-stream.js';
import { sayTimeUnit } from './time-unit.js';

/** Which column of a file holds what: by default a key or feature stands under its own name. */
export interface Naming {
  readonly eventTime: string;
  /** For a key or feature the name of its column. */
  readonly renamed: Readonly<Record<string, string>>;
  readonly timeUnits: TimeUnits;
}

/** Reads `delay_min=delay,origin=from`; refuses names that the group does not have. */
export function readRenamed(written: readonly string[], { group, entities, features }: Group): Record<string, string> {
  const known = new Set([...entities, ...features].map(({ name }) => name));
  return Object.fromEntries(
    written.map((pair) => {
      const [name = '', column = ''] = pair.split('=');
      if (!known.has(name) || column === '') throw misused(`"${pair}" is not <name>=<column> with a key or feature of ${group}: ${[...known].join(', ')}.`);
      return [name, column];
    }),
  );
}

/** The columns of times, and how their unit is said on the command line. */
const timesOf = ({ features }: Group, { eventTime, renamed, timeUnits: units }: Naming): FileTimes => ({
  eventTime, units, say: sayTimeUnit,
  columns: features.filter(({ type }) => type === 'TIMESTAMP').map(({ name }) => renamed[name] ?? name),
});

/** Passes the rows on, their times read; at the first of them refuses a file without keys or times, and says what is left out or stays null. */
export async function* noteUnused(batches: AsyncIterable<RowBatch>, group: Group, naming: Naming): AsyncGenerator<RowBatch> {
  let known = false;
  for await (const batch of batches) {
    if (!known) for (const note of notesOn(batch, group, naming)) process.stderr.write(`${note}\n`);
    known = true;
    yield withTimes(batch, timesOf(group, naming));
  }
}

function notesOn({ columns }: RowBatch, { group, entities, features }: Group, { eventTime, renamed, timeUnits }: Naming): string[] {
  const columnNames = [...columns.keys()];
  const [keys, values] = [entities, features].map((declared) => declared.map(({ name }) => renamed[name] ?? name)) as [string[], string[]];
  const lacking = [...keys, eventTime, ...Object.keys(timeUnits).filter((column) => column !== '')].filter((column) => !columns.has(column));
  if (lacking.length > 0) throw new RowsError(`The file has no column ${lacking.join(', ')}, which ${group} needs or an option names; it has ${columnNames.join(', ')}. Say --event-time or --rename.`);
  const used = new Set([eventTime, ...keys, ...values]);
  const unused = columnNames.filter((column) => !used.has(column));
  const missing = values.filter((column) => !columns.has(column));
  return [
    ...(unused.length > 0 ? [`Left out, since ${group} has no such feature: ${unused.join(', ')}.`] : []),
    ...(missing.length > 0 ? [`Null in every row, since the file has no such column: ${missing.join(', ')}.`] : []),
  ];
}

/** Rows of a file as the batch of a write request. */
export function batchOf(batch: RowBatch, { entities, features }: Group, { eventTime, renamed }: Naming): WriteRequest['batch'] {
  const { columns, rows } = batch;
  const valuesOf = (name: string) => columns.get(renamed[name] ?? name);
  const times = columnOf(eventTime, 'TIMESTAMP', columns.get(eventTime) ?? new Array(rows).fill(null), batch);
  if (times.nulls) throw new RowsError(`${placeOf(batch, times.nulls[0]!)} has no time in column ${eventTime}`);
  return {
    keys: entities.map(({ name, type }) => columnOf(name, type, valuesOf(name) ?? new Array(rows).fill(null), batch)),
    eventTimeUs: times.timesUs!,
    features: features.flatMap(({ name, type }) => {
      const values = valuesOf(name);
      return values ? [columnOf(name, type, values, batch)] : [];
    }),
  };
}
