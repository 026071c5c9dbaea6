import { entityValueOf } from '../../../domain/features/entity-value.js';
import { encodeKey } from '../../../domain/features/keys.js';
import type { EntityValue, FeatureType } from '../../../domain/features/values.js';
import { Refusal } from '../../../domain/kit/index.js';
import type { PlannedJoin } from './selection.js';
import type { Moments } from './slots.js';

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
  const columns = keys.map(({ column, name }) => table.columns.get(column) ?? refuseMissing(column, name, definition.group));
  const encoded = new Array<string | null>(table.rows);
  for (let row = 0; row < table.rows; row++) {
    const values: EntityValue[] = [];
    for (let part = 0; part < keys.length; part++) {
      const raw = columns[part]![row];
      if (raw === null || raw === undefined) break;
      const { type, column } = keys[part]!;
      values.push(entityValueOf(raw, type) ?? refuseType(column, row, type));
    }
    encoded[row] = values.length === keys.length ? encodeKey(values) : null;
  }
  return { keys: encoded, timeUs: table.timeUs };
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
