import type { IncomingRows, WriteRequest } from '../../../commands/features/incoming.js';
import { plainValues } from '../../../commands/features/incoming.js';
import { rowsFromMaps } from '../../../commands/features/row-wise.js';
import type { WriteMode } from '../../../domain/features/chunk.js';
import { Refusal } from '../../../domain/kit/index.js';
import type { OnlineRequest } from '../../../projections/features/online/read.js';
import { columnsByName } from './columns.js';
import type { ReadOnlineMessage } from './read-messages.js';
import type { WriteMessage } from './write-messages.js';

const modes: readonly (WriteMode | undefined)[] = [undefined, 'ONLINE', 'OFFLINE', 'BOTH'];

/** What an rpc to write makes of a mode; throws for one that it does not take. */
export type ModeOf = (given: WriteMode | undefined) => WriteMode;

/** WriteOnline stores for online reading, so it takes no OFFLINE; WriteOffline takes nothing else. */
export const onlineMode: ModeOf = (given = 'BOTH') => (given === 'OFFLINE' ? refuse('mode', 'is OFFLINE; WriteOffline writes the history only') : given);
export const offlineMode: ModeOf = (given = 'OFFLINE') => (given === 'OFFLINE' ? given : refuse('mode', `is ${given}; WriteOffline writes the history only`));
export const anyMode: ModeOf = (given = 'BOTH') => given;

export function writeRequestOf(message: WriteMessage, modeOf: ModeOf): WriteRequest {
  if (message.mode >= modes.length) refuse('mode', 'is not one that is known');
  if (message.batch && message.rows.length > 0) refuse('rows', 'are given beside a batch; one of the two is enough');
  const { project, group, partial, quarantine, lines, version } = message;
  return { project, group, ...(version > 0 && { version }), mode: modeOf(modes[message.mode]), partial, quarantine, ...(lines.length > 0 && { sourceOf: (row: number) => `Line ${lines[row] ?? '?'}` }), rows: incomingOf(message) };
}

function incomingOf({ batch, rows }: WriteMessage): IncomingRows {
  if (!batch) return rowsFromMaps(rows.map(({ entity, eventTimeUs, values }) => ({ keys: entity, timeUs: eventTimeUs, values })));
  const { keys, eventTimeUs, features } = batch;
  const count = eventTimeUs.length;
  return { rows: count, keys: columnsByName(keys, count, 'batch.keys'), timeUs: eventTimeUs, features: columnsByName(features, count, 'batch.features') };
}

export function onlineRequestOf({ project, features, service, keys, entities, fullNames }: ReadOnlineMessage): OnlineRequest {
  if (keys.length > 0 && entities.length > 0) refuse('entities', 'are given beside columns of keys; one of the two is enough');
  if (keys.length === 0) return { project, features, service, fullNames, entities: entities.length, keys: columnsOfMaps(entities) };
  const [first] = keys;
  const { strings, stringIndex, ints, nulls } = first!;
  const count = Math.max(stringIndex.length || strings.length, ints.length) || nulls.length;
  const columns = columnsByName(keys, count, 'keys');
  return { project, features, service, fullNames, entities: count, keys: new Map([...columns].map(([name, column]) => [name, plainValues(column) as unknown[]])) };
}

/** The entities' keys column by column; what an entity does not give is undefined. */
export function columnsOfMaps(entities: readonly ReadonlyMap<string, unknown>[]): Map<string, unknown[]> {
  const columns = new Map<string, unknown[]>();
  entities.forEach((entity, index) => {
    for (const [name, value] of entity) {
      let column = columns.get(name);
      if (!column) columns.set(name, (column = new Array(entities.length).fill(undefined)));
      column[index] = value;
    }
  });
  return columns;
}

function refuse(field: string, description: string): never {
  throw new Refusal('INVALID_ARGUMENT', `${field} ${description}`, { reason: 'INVALID_INPUT', fields: [{ field, description }] });
}
