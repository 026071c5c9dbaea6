import { int64Of } from './int64.js';
import type { EntityType, EntityValue } from './values.js';

/** A key value in the one form that it has in encoded keys; undefined for what is not of the type. */
export function entityValueOf(raw: unknown, type: EntityType): EntityValue | undefined {
  switch (type) {
    case 'STRING':
      return typeof raw === 'string' && raw.isWellFormed() ? raw : undefined;
    case 'INT64':
      return int64Of(raw);
  }
}
