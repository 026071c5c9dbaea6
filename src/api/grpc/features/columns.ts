import type { IncomingColumn } from '../../../commands/features/incoming.js';
import { Refusal } from '../../../domain/kit/index.js';
import type { ProtoReader } from './proto-reader.js';

/** The message Column as it came. */
export interface ColumnMessage {
  name: string;
  doubles: number[];
  ints: (number | string)[];
  strings: string[];
  stringIndex: number[];
  bools: boolean[];
  timesUs: number[];
  lists: number[][];
  nulls: number[];
}

/** What a column has in each list that it does not fill, which are all but one or two of the eight. */
const none: never[] = Object.freeze([]) as never;
const own = <Value>(list: Value[]): Value[] => (list === none ? [] : list);

export function readColumn(reader: ProtoReader): ColumnMessage {
  const column: ColumnMessage = { name: '', doubles: none, ints: none, strings: none, stringIndex: none, bools: none, timesUs: none, lists: none, nulls: none };
  for (const field of reader.fields()) {
    if (field === 1) column.name = reader.string();
    else if (field === 2) reader.doubles((column.doubles = own(column.doubles)));
    else if (field === 3) reader.sint64s((column.ints = own(column.ints)));
    else if (field === 4) (column.strings = own(column.strings)).push(reader.string());
    else if (field === 5) reader.uint32s((column.stringIndex = own(column.stringIndex)));
    else if (field === 6) reader.bools((column.bools = own(column.bools)));
    else if (field === 7) reader.sfixed64s((column.timesUs = own(column.timesUs)));
    else if (field === 8) (column.lists = own(column.lists)).push(readList(reader.message()));
    else if (field === 9) reader.uint32s((column.nulls = own(column.nulls)));
    else reader.skip();
  }
  return column;
}

function readList(reader: ProtoReader): number[] {
  const values: number[] = [];
  for (const field of reader.fields()) {
    if (field === 1) reader.doubles(values);
    else reader.skip();
  }
  return values;
}

/** The columns by name, each with a value for every row. `path` is where they stand in the request: `batch.features`. */
export function columnsByName(columns: readonly ColumnMessage[], rows: number, path: string): Map<string, IncomingColumn> {
  const byName = new Map<string, IncomingColumn>();
  columns.forEach((column, index) => {
    const field = `${path}[${index}]`;
    if (column.name === '') refuse(`${field}.name`, 'is missing');
    if (byName.has(column.name)) refuse(`${field}.name`, `is ${column.name} like another column`);
    byName.set(column.name, valuesOf(column, rows, field));
  });
  return byName;
}

function valuesOf(column: ColumnMessage, rows: number, field: string): IncomingColumn {
  const { doubles, ints, strings, stringIndex, bools, timesUs, lists, nulls } = column;
  const filled = [doubles, ints, strings, bools, timesUs, lists].filter(({ length }) => length > 0) as unknown[][];
  if (filled.length > 1) refuse(field, `of ${column.name} fills more than one list of values`);
  if (nulls.some((row) => row >= rows)) refuse(`${field}.nulls`, `names a row beyond the ${rows} rows`);
  if (stringIndex.length > 0) return repeated(column, rows, field);
  const [values = []] = filled;
  if (values.length === 0 && nulls.length >= rows) return withNulls(new Array(rows).fill(undefined), nulls);
  if (values.length !== rows) refuse(field, `of ${column.name} has ${values.length} values for ${rows} rows`);
  return withNulls(values, nulls);
}

function repeated({ name, strings, stringIndex, nulls }: ColumnMessage, rows: number, field: string): IncomingColumn {
  if (stringIndex.length !== rows) refuse(`${field}.stringIndex`, `of ${name} has ${stringIndex.length} values for ${rows} rows`);
  const at = withNulls(stringIndex, nulls) as (number | null)[];
  if (at.some((index) => index !== null && index >= strings.length)) refuse(`${field}.stringIndex`, `of ${name} points beyond its strings`);
  return { of: strings, at };
}

/** The list is this message's own, so the nulls are put into it. */
function withNulls(values: unknown[], nulls: readonly number[]): unknown[] {
  for (const row of nulls) values[row] = null;
  return values;
}

function refuse(field: string, description: string): never {
  throw new Refusal('INVALID_ARGUMENT', `${field} ${description}`, { reason: 'INVALID_INPUT', fields: [{ field, description }] });
}
