import type { Pool } from 'pg';
import { decodeKey } from '../../../domain/features/keys.js';
import type { FeatureGroupDefinition } from '../../../domain/features/state.js';
import type { FeatureType } from '../../../domain/features/values.js';
import { Refusal } from '../../../domain/kit/index.js';
import { defaultTimeColumn } from '../history/entity-times.js';
import type { TrainingColumn, TrainingSet } from '../history/training-set.js';
import { unpackRow } from './packed-row.js';
import { scopeOf } from './scope.js';

/** Entities read at once. */
const pageSize = 5000;

/** No feature can be called so: whether the row is older than the group's TTL. */
export const staleColumn = '_outside_max_age';

/** Nor so: the time of the row, where a key or a feature is called `event_time` itself. */
const otherTimeColumn = '_event_time';

/** What the table holds: the encoded key, the event time in microseconds, the row with its values. */
type HeldRow = readonly [key: string, timeUs: string, values: string];

const nextPage = {
  name: 'export online rows',
  text: `select key, event_time_us, feature_values from feature_online where scope = $1 and key > $2 order by key limit ${pageSize}`,
  rowMode: 'array' as const,
};

/** The latest row of every entity of a group, by key: keys, event time and features, and of a group with a TTL whether the row is too old. */
export function exportOnline(pool: Pool, definition: FeatureGroupDefinition, features: readonly string[], nowUs: number, signal?: AbortSignal): AsyncGenerator<TrainingSet> {
  const wanted = placesOf(definition, features);
  return pages(pool, definition, wanted, nowUs, signal);
}

async function* pages(pool: Pool, definition: FeatureGroupDefinition, places: readonly number[], nowUs: number, signal: AbortSignal | undefined): AsyncGenerator<TrainingSet> {
  const scope = scopeOf(definition.project, definition.group, definition.version);
  let after = '';
  for (let first = true; ; first = false) {
    signal?.throwIfAborted();
    const rows: readonly HeldRow[] = (await pool.query<[string, string, string]>({ ...nextPage, values: [scope, after] })).rows;
    if (rows.length > 0 || first) yield tableOf(rows, definition, places, nowUs);
    if (rows.length < pageSize) return;
    after = rows.at(-1)![0];
  }
}

function tableOf(rows: readonly HeldRow[], { entities, features, ttlSeconds }: FeatureGroupDefinition, places: readonly number[], nowUs: number): TrainingSet {
  const keys = rows.map(([key]) => decodeKey(key));
  const times = rows.map(([, timeUs]) => Number(timeUs));
  const values = rows.map(([, , packed]) => unpackRow(packed));
  const column = (name: string, type: FeatureType, at: (row: number) => unknown, dimensions?: number): TrainingColumn => ({ name, type, dimensions, at });
  const named = [...entities, ...places.map((place) => features[place]!)].some(({ name }) => name === defaultTimeColumn);
  const oldest = nowUs - ttlSeconds * 1_000_000;
  return {
    rows: rows.length,
    columns: [
      ...entities.map(({ name, type }, part) => column(name, type, (row) => keys[row]![part])),
      column(named ? otherTimeColumn : defaultTimeColumn, 'TIMESTAMP', (row) => times[row]),
      ...places.map((place) => column(features[place]!.name, features[place]!.type, (row) => values[row]![place] ?? null, features[place]!.constraints.dimensions)),
      ...(ttlSeconds > 0 ? [column(staleColumn, 'BOOL', (row) => times[row]! < oldest)] : []),
    ],
  };
}

/** Where the wanted features stand among those of the group; all of them where none is named. */
function placesOf({ group, features }: FeatureGroupDefinition, wanted: readonly string[]): number[] {
  if (wanted.length === 0) return features.map((_, place) => place);
  return wanted.map((name, at) => {
    const place = features.findIndex((spec) => spec.name === name);
    if (place >= 0) return place;
    const description = `names ${name}, which ${group} does not have`;
    throw new Refusal('INVALID_ARGUMENT', `features[${at}] ${description}`, { reason: 'INVALID_INPUT', fields: [{ field: `features[${at}]`, description }] });
  });
}
