import { entityValueOf } from '../../../domain/features/entity-value.js';
import { encodeKey } from '../../../domain/features/keys.js';
import type { EntityValue, FeatureType } from '../../../domain/features/values.js';
import { Refusal } from '../../../domain/kit/index.js';
import type { PlannedJoin } from './selection.js';
import { numberIn, type Moments } from './slots.js';

/** The rows of a request, column by column: entity keys, the time of each row, and whatever else the caller wants kept beside the features. */
export interface RequestTable {
  readonly rows: number;
  readonly timeUs: Float64Array;
  /** All columns in their order, that of the times included. */
  readonly columns: ReadonlyMap<string, readonly unknown[]>;
  /** Which of them holds the times, where the caller named it. */
  readonly timeColumn?: string;
  /** The types of the columns where they are known; a column without one goes back as it came. */
  readonly types?: ReadonlyMap<string, FeatureType>;
}

/** Which entity of the joined group each row means; none where a key is null or missing. Refuses keys of the wrong type. */
export function momentsOf(table: RequestTable, { keys, definition }: PlannedJoin): Moments {
  if (table.rows === 0) return { keys: [], key: new Int32Array(0), timeUs: table.timeUs };
  const columns = keys.map(({ column, name }) => table.columns.get(column) ?? refuseMissing(column, name, definition.group));
  const partOf = (part: number, raw: unknown, row: number) => entityValueOf(raw, keys[part]!.type) ?? refuseType(keys[part]!.column, row, keys[part]!.type);
  const numbers = new Map<string, number>();
  const key = new Int32Array(table.rows).fill(-1);
  if (columns.length === 1) {
    // Rows name few entities again and again, so most need not be encoded.
    const known = new Map<unknown, number>();
    const [column] = columns as [readonly unknown[]];
    for (let row = 0; row < table.rows; row++) {
      const raw = column[row];
      if (raw === null || raw === undefined) continue;
      let number = known.get(raw);
      if (number === undefined) known.set(raw, (number = numberIn(numbers, encodeKey([partOf(0, raw, row)]))));
      key[row] = number;
    }
  } else {
    for (let row = 0; row < table.rows; row++) {
      const values: EntityValue[] = [];
      for (let part = 0; part < keys.length; part++) {
        const raw = columns[part]![row];
        if (raw === null || raw === undefined) break;
        values.push(partOf(part, raw, row));
      }
      if (values.length === keys.length) key[row] = numberIn(numbers, encodeKey(values));
    }
  }
  return { keys: [...numbers.keys()], key, timeUs: table.timeUs };
}

function refuseMissing(column: string, key: string, group: string): never {
  throw new Refusal('INVALID_ARGUMENT', `The request has no column ${column} for the key ${key} of ${group}`, {
    reason: 'KEY_COLUMN_MISSING',
    fields: [{ field: column, description: `is needed as the key ${key} of ${group}` }],
  });
}

function refuseType(column: string, row: number, type: string): never {
  const field = `rows[${row}].${column}`;
  throw new Refusal('INVALID_ARGUMENT', `${field} is not ${type}`, { reason: 'INVALID_INPUT', fields: [{ field, description: `is not ${type}` }] });
}
