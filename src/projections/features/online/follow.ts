import { valueAt } from '../../../domain/features/chunk.js';
import { keyOfEntity } from '../../../domain/features/deletion.js';
import type { FeatureGroupDefinition } from '../../../domain/features/state.js';
import type { FeatureValue } from '../../../domain/features/values.js';
import { Refusal } from '../../../domain/kit/index.js';
import type { OnlineRows } from './lookup.js';
import { scopeOf } from './scope.js';
import type { RowTail, Written } from './tail.js';

/** A new latest row of an entity, or none: it has been deleted. */
export interface FollowedRow {
  readonly entity: Readonly<Record<string, unknown>>;
  /** Null where the entity has been deleted; so are all values then. */
  readonly timeUs: number | null;
  /** By feature, in the group's order. */
  readonly values: Readonly<Record<string, FeatureValue | null>>;
  readonly position: string;
}

/** The most entities that one listener may follow. */
const mostEntities = 1_000;

/**
 * New latest rows of chosen entities, as they are written; a row older than what is known of its entity is no news.
 * Who reads slowly misses rows in between, never the latest.
 */
export async function* followEntities(
  definition: FeatureGroupDefinition,
  entities: readonly Readonly<Record<string, unknown>>[],
  { tail, rows, signal }: { tail: RowTail; rows: OnlineRows; signal: AbortSignal },
): AsyncGenerator<FollowedRow> {
  if (entities.length > mostEntities) throw new Refusal('INVALID_ARGUMENT', `At most ${mostEntities} entities can be followed at once`, { reason: 'TOO_MANY_ENTITIES' });
  const byKey = new Map(entities.map((entity, index) => [keyOfEntity(definition.entities, entity, `entities[${index}]`), entity]));
  const known = new Map<string, number>();
  const news = new Map<string, News>();
  let wake = () => {};
  let failure: { readonly error: unknown } | undefined;
  const leave = await tail.listen({
    heard: (written) => {
      gather(written, definition, byKey, news);
      if (news.size > 0) wake();
    },
    failed: (error) => {
      failure = { error };
      wake();
    },
  });
  const end = () => wake();
  signal.addEventListener('abort', end);
  try {
    for (const [key, timeUs] of await timesOf(definition, [...byKey.keys()], rows)) known.set(key, timeUs);
    while (!signal.aborted) {
      if (failure) throw failure.error;
      if (news.size === 0) await new Promise<void>((resolve) => (wake = resolve));
      for (const [key, row] of [...news]) {
        news.delete(key);
        if (!row.afterDeletion && row.timeUs! < (known.get(key) ?? -Infinity)) continue;
        known.set(key, row.timeUs ?? -Infinity);
        yield row;
      }
    }
  } finally {
    signal.removeEventListener('abort', end);
    leave();
  }
}

/** What is to be told; what follows a deletion is news however old it is. */
interface News extends FollowedRow {
  readonly afterDeletion: boolean;
}

/** Notes what happened to followed entities; at the same event time the later row counts. */
function gather(written: Written, definition: FeatureGroupDefinition, byKey: ReadonlyMap<string, Readonly<Record<string, unknown>>>, news: Map<string, News>): void {
  if ('deleted' in written) return gatherDeletion(written, definition, byKey, news);
  const { rows, position } = written;
  const { project, group, version } = definition;
  if (rows.mode === 'OFFLINE' || rows.project !== project || rows.group !== group || rows.version !== version) return;
  const followed = rows.keys.map((key) => byKey.get(key));
  if (!followed.some((entity) => entity !== undefined)) return;
  for (let row = 0; row < rows.rows; row++) {
    const entity = followed[rows.key[row]!];
    if (entity === undefined) continue;
    const key = rows.keys[rows.key[row]!]!;
    const timeUs = rows.timeUs[row]!;
    const before = news.get(key);
    if ((before?.timeUs ?? -Infinity) > timeUs) continue;
    const values = Object.fromEntries([...rows.columns].map(([feature, column]) => [feature, valueAt(column, row)]));
    news.set(key, { entity, timeUs, values, position, afterDeletion: before?.afterDeletion ?? false });
  }
}

function gatherDeletion({ deleted, position }: Extract<Written, { deleted: unknown }>, { project, group, version, features }: FeatureGroupDefinition, byKey: ReadonlyMap<string, Readonly<Record<string, unknown>>>, news: Map<string, News>): void {
  const entity = byKey.get(deleted.key);
  if (entity === undefined || deleted.project !== project || deleted.group !== group || deleted.version < version) return;
  news.set(deleted.key, { entity, timeUs: null, values: Object.fromEntries(features.map(({ name }) => [name, null])), position, afterDeletion: true });
}

async function timesOf({ project, group, version }: FeatureGroupDefinition, keys: readonly string[], rows: OnlineRows): Promise<[string, number][]> {
  const found = await rows.find([{ scope: scopeOf(project, group, version), keys }]);
  return keys.flatMap((key) => (found.next() ? [[key, found.timeUs] satisfies [string, number]] : []));
}
