import { isStringColumn, valueAt, type Column, type RowBlock, type StringColumn } from '../../domain/features/chunk.js';
import { encodeKey, longestKey } from '../../domain/features/keys.js';
import { eventTimeFault, isEventTime } from '../../domain/features/times.js';
import type { EntityValue, FeatureValue } from '../../domain/features/values.js';
import type { ComputedFeature } from './computed-columns.js';
import { Fault, type Check } from './checks.js';
import type { WritableFeature, WritableGroup } from './group.js';
import { plainValues, type IncomingColumn, type IncomingRows, type RowFault } from './incoming.js';

/** Rows brought into the form that is stored, and what is wrong with those that cannot be. */
export interface CheckedRows {
  /** All rows; those with a fault hold whatever they hold. */
  readonly block: RowBlock;
  readonly faults: readonly RowFault[];
}

/** Checks all rows of a request, column by column, against the definition of their group. */
export function checkRows(incoming: IncomingRows, group: WritableGroup): CheckedRows {
  const faults: RowFault[] = [];
  const timeUs = checkTimes(incoming, faults);
  const { keys, key } = checkKeys(incoming, group, faults);
  const columns = new Map<string, Column | null>();
  for (const feature of group.features) columns.set(feature.name, feature.computed ? computeFeature(feature, feature.computed, { incoming, columns, faults }) : checkFeature(feature, incoming, faults));
  refuseUnknown(incoming, group, faults);
  return { block: { rows: incoming.rows, keys, key, timeUs, columns }, faults };
}

function checkTimes({ rows, timeUs }: IncomingRows, faults: RowFault[]): Float64Array {
  const checked = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    checked[row] = timeUs[row]!;
    if (!isEventTime(timeUs[row]!)) faults.push({ row, field: 'eventTime', description: eventTimeFault });
  }
  return checked;
}

/** The distinct encoded keys, and which of them each row has. */
function checkKeys(incoming: IncomingRows, { entities }: WritableGroup, faults: RowFault[]): Pick<RowBlock, 'keys' | 'key'> {
  const columns = entities.map(({ name, check }) => checkColumn(incoming, `entity.${name}`, incoming.keys.get(name), { check, required: true }, faults));
  const [only] = columns;
  if (columns.length === 1 && only !== null && isStringColumn(only!) && new Set(only.of).size === only.of.length) return keysOfDictionary(only, faults);
  const plain = columns.map((column) => (column === null ? [] : isStringColumn(column) ? (plainValues(column) as EntityValue[]) : column)) as EntityValue[][];
  const places = new Map<unknown, number>();
  const keys: string[] = [];
  const key = new Uint32Array(incoming.rows);
  for (let row = 0; row < incoming.rows; row++) {
    // A single value finds its place by itself, which spares encoding it again for every row.
    const encoded = plain.length === 1 ? undefined : encodeKey(plain.map((values) => values[row]!));
    const found = encoded ?? plain[0]![row];
    let place = places.get(found);
    if (place === undefined) {
      places.set(found, (place = keys.length));
      keys.push(encoded ?? encodeKey([plain[0]![row]!]));
    }
    key[row] = place;
    if (keys[place]!.length > longestKey) faults.push({ row, field: 'entity', description: `is longer than ${longestKey} characters` });
  }
  return { keys, key };
}

function keysOfDictionary({ of, at }: StringColumn, faults: RowFault[]): Pick<RowBlock, 'keys' | 'key'> {
  const keys = of.map((value) => encodeKey([value]));
  const key = Uint32Array.from(at, (index) => index ?? 0);
  if (keys.some(({ length }) => length > longestKey)) {
    key.forEach((index, row) => {
      if (keys[index]!.length > longestKey) faults.push({ row, field: 'entity', description: `is longer than ${longestKey} characters` });
    });
  }
  return { keys, key };
}

function checkFeature(feature: WritableFeature, incoming: IncomingRows, faults: RowFault[]): Column | null {
  const field = `values.${feature.name}`;
  const column = checkColumn(incoming, field, incoming.features.get(feature.name), feature, faults);
  if (feature.unique && column !== null) findRepeated(column, field, faults);
  return column;
}

/** Of rows that give the same value the first is good. */
function findRepeated(column: Column, field: string, faults: RowFault[]): void {
  const rows = isStringColumn(column) ? column.at.length : column.length;
  const first = new Map<FeatureValue, number>();
  for (let row = 0; row < rows; row++) {
    const value = valueAt(column, row);
    if (value === null) continue;
    const before = first.get(value);
    if (before === undefined) first.set(value, row);
    else faults.push({ row, field, description: `is that of rows[${before}] too, but no two rows of a request may have the same` });
  }
}

/** What is computed is checked like what is given; a row that gives a value of its own is at fault. */
function computeFeature(feature: WritableFeature, { by, column }: ComputedFeature, { incoming, columns, faults }: { incoming: IncomingRows; columns: ReadonlyMap<string, Column | null>; faults: RowFault[] }): Column | null {
  const field = `values.${feature.name}`;
  const given = incoming.features.get(feature.name);
  if (given) plainValues(given).forEach((value, row) => value !== null && value !== undefined && faults.push({ row, field, description: `is computed by ${by}, so no row gives it` }));
  return checkColumn(incoming, field, column(columns, incoming.rows), feature, faults);
}

interface ColumnCheck {
  readonly check: Check;
  readonly required: boolean;
}

/** The column in its stored form; null when no row has a value. */
function checkColumn({ rows }: IncomingRows, field: string, given: IncomingColumn | undefined, { check, required }: ColumnCheck, faults: RowFault[]): Column | null {
  if (given === undefined) {
    if (required) for (let row = 0; row < rows; row++) faults.push({ row, field, description: 'is required' });
    return null;
  }
  if ('of' in given) {
    const checked = given.of.map(check);
    if (!checked.some((value) => typeof value !== 'string')) return checkPlaces(given as StringColumn, checked as string[], { field, required, faults });
  }
  const values = plainValues(given);
  const column = new Array<FeatureValue | null>(rows);
  let some = false;
  for (let row = 0; row < rows; row++) {
    const raw = values[row];
    if (raw === null || raw === undefined) {
      column[row] = null;
      if (required) faults.push({ row, field, description: 'is required' });
      continue;
    }
    const value = check(raw);
    some = true;
    if (value instanceof Fault) {
      column[row] = null;
      faults.push({ row, field, description: value.sentence });
    } else column[row] = value;
  }
  return some ? column : null;
}

/** A column of repeated strings, all of them good; a row may still have none. */
function checkPlaces({ at }: StringColumn, of: readonly string[], { field, required, faults }: { field: string; required: boolean; faults: RowFault[] }): Column {
  for (let row = 0; row < at.length; row++) {
    if (at[row] === null && required) faults.push({ row, field, description: 'is required' });
  }
  return { of, at };
}

function refuseUnknown({ keys, features, rows }: IncomingRows, { definition, entities, features: known }: WritableGroup, faults: RowFault[]): void {
  const refuse = (kind: 'entity' | 'values', name: string, column: IncomingColumn, what: string) => {
    const values = plainValues(column);
    for (let row = 0; row < rows; row++) {
      if (values[row] !== undefined) faults.push({ row, field: `${kind}.${name}`, description: `is not a ${what} of ${definition.group}` });
    }
  };
  for (const [name, column] of keys) if (!entities.some((entity) => entity.name === name)) refuse('entity', name, column, 'key');
  for (const [name, column] of features) if (!known.some((feature) => feature.name === name)) refuse('values', name, column, 'feature');
}
