import type { ReadableBlock } from '../../../domain/features/chunk.js';
import { decodeKey, partitionOf } from '../../../domain/features/keys.js';
import type { FeatureGroupDefinition } from '../../../domain/features/state.js';
import type { FeatureType } from '../../../domain/features/values.js';
import { Refusal } from '../../../domain/kit/index.js';
import type { HistoryEvent } from './events.js';
import { isKnown, type KnownAt } from './known.js';
import type { Partition, Replay } from './replay.js';
import type { RequestTable } from './request-table.js';
import type { Plan, PlannedJoin } from './selection.js';
import { concerns, countsFor } from './tell.js';
import { joinHistory, type PinnedAt, type TrainingSet } from './training-set.js';

/** The name of the time column where the caller does not choose one. */
export const defaultTimeColumn = 'event_time';

/** The most rows that one slice of a question without rows may have; they are held in memory while they are joined. */
const mostRowsOfSlice = 5_000_000;
const day = 86_400_000_000;

/** A stretch of event times, both ends included. */
export interface TimeRange {
  readonly startUs: number;
  readonly endUs: number;
  /** The encoded keys of the only entities meant; all where there are none. */
  readonly entities?: readonly string[];
}

/** The start that is meant where the caller gives none: as far back as any joined value may lie, 30 days where they never run out. */
export function startOf(endUs: number, { joins }: Plan): number {
  const longestTtl = Math.max(...joins.map(({ definition }) => definition.ttlSeconds)) * 1_000_000;
  return endUs - (longestTtl === 0 ? 30 * day : longestTtl);
}

/**
 * A training set without rows asked for: one row for every entity and event time at which any of the groups was
 * written within the range, by entity and time, joined like any other row. It comes slice by slice (entities whose
 * rows share partitions), so that only one slice is in memory.
 */
export async function* joinEntityTimes(replay: Replay, plan: Plan, range: TimeRange, pinned: PinnedAt, signal?: AbortSignal): AsyncGenerator<TrainingSet> {
  const definitions = [...new Set(plan.joins.map(({ definition }) => definition))];
  for (const partitions of slicesOf(oneOfEach(definitions), range.entities)) {
    const times = await gatherTimes(replay, { definitions, partitions, range, known: pinned.known }, signal);
    if (times.size > 0) yield joinHistory(replay, times.table(plan.joins[0]!), plan, pinned, signal);
  }
}

/** The event times of a slice: all at which any of the groups was written within the range. */
export async function gatherTimes(
  replay: Replay,
  { definitions, partitions, range, known }: { definitions: readonly FeatureGroupDefinition[]; partitions: readonly Partition[]; range: TimeRange; known: PinnedAt['known'] },
  signal?: AbortSignal,
): Promise<EntityTimes> {
  const counted = { rows: 0 };
  const gathered = definitions.map(({ project, group, version }) => ({ group: `${project}.${group}`, version, times: new EntityTimes(range, counted) }));
  const timesOf = Map.groupBy(gathered, ({ group }) => group);
  await replay.run(partitions, known.position, (event, { project, group }) => timesOf.get(`${project}.${group}`)!.forEach((one) => note(event, one, known)), signal);
  return EntityTimes.together(gathered.map((one) => one.times));
}

/** A deletion that is not known yet leaves the moments: there was something. */
function note(event: HistoryEvent, { version, times }: { version: number; times: EntityTimes }, known: KnownAt): void {
  if (!isKnown(known, event)) return;
  if ('deleted' in event) {
    if (concerns(event, version)) times.delete(event.deleted.key, known.rowTime ? event.recordedAtUs : -Infinity);
  } else if (countsFor(event.block, { version, onlineToo: false })) times.add(event.block);
}

/** Versions of a group share its streams, which are read once. */
const oneOfEach = (definitions: readonly FeatureGroupDefinition[]): FeatureGroupDefinition[] => [...new Map(definitions.map((definition) => [`${definition.project}.${definition.group}`, definition])).values()];

/** The partitions that hold the same entities in all groups, slice by slice; chosen entities are one slice. */
export function slicesOf(definitions: readonly FeatureGroupDefinition[], entities?: readonly string[]): Partition[][] {
  if (entities) {
    return [definitions.flatMap(({ project, group, partitions }) => [...new Set(entities.map((key) => partitionOf(key, partitions)))].map((partition): Partition => ({ project, group, partition })))];
  }
  const slices = definitions.map(({ partitions }) => partitions).reduce(greatestCommonDivisor);
  return Array.from({ length: slices }, (_, slice) =>
    definitions.flatMap(({ project, group, partitions }) => Array.from({ length: partitions / slices }, (__, nth): Partition => ({ project, group, partition: slice + nth * slices }))),
  );
}

/** Without rows there is one kind of entity; refuses groups whose keys differ. */
export function requireSameKeys([first, ...others]: readonly PlannedJoin[]): void {
  const keysOf = ({ keys }: PlannedJoin) => keys.map(({ column, type }) => `${column} ${type}`).join(', ');
  const other = others.find((join) => keysOf(join) !== keysOf(first!));
  if (other === undefined) return;
  throw new Refusal('INVALID_ARGUMENT', `${first!.name} and ${other.name} have different keys, so the request must give the rows`, { reason: 'ROWS_NEEDED' });
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));

/** The distinct event times of entities, of one group or of several together. */
export class EntityTimes {
  private readonly times = new Map<string, Set<number>>();

  /** `counted` is shared by all that are held at the same time. */
  constructor(
    private readonly range: TimeRange,
    private readonly counted: { rows: number },
  ) {
    for (const key of range.entities ?? []) this.times.set(key, new Set());
  }

  /** What several groups have, each moment once. */
  static together([first, ...others]: readonly EntityTimes[]): EntityTimes {
    for (const { times } of others) {
      for (const [key, more] of times) {
        const held = first!.times.get(key);
        if (held) for (const time of more) held.add(time);
        else first!.times.set(key, more);
      }
    }
    return first!;
  }

  get size(): number {
    let size = 0;
    for (const times of this.times.values()) size += times.size;
    return size;
  }

  add({ rows, keys, key, timeUs }: ReadableBlock): void {
    const { startUs, endUs } = this.range;
    const timesOf = keys.map((entity) => this.times.get(entity));
    for (let row = 0; row < rows; row++) {
      const time = timeUs[row]!;
      if (time < startUs || time > endUs) continue;
      const known = timesOf[key[row]!] ?? this.meet(keys, key[row]!, timesOf);
      if (known === undefined || known.has(time)) continue;
      known.add(time);
      this.counted.rows++;
    }
    if (this.counted.rows > mostRowsOfSlice) throw new Refusal('RESOURCE_EXHAUSTED', `The range holds more than ${mostRowsOfSlice} rows of one slice; ask for a shorter one`, { reason: 'RANGE_TOO_LARGE' });
  }

  /** Forgets the moments of an entity from one on. */
  delete(key: string, sinceUs: number): void {
    const times = this.times.get(key);
    for (const time of times ?? []) {
      if (time < sinceUs) continue;
      times!.delete(time);
      this.counted.rows--;
    }
  }

  table({ keys }: Pick<PlannedJoin, 'keys'>): RequestTable {
    const { size } = this;
    const timeUs = new Float64Array(size);
    const columns = keys.map((): unknown[] => new Array(size));
    let row = 0;
    for (const entity of this.range.entities ? this.times.keys() : [...this.times.keys()].sort()) {
      const values = decodeKey(entity);
      for (const time of Float64Array.from(this.times.get(entity)!).sort()) {
        timeUs[row] = time;
        values.forEach((value, part) => (columns[part]![row] = value));
        row++;
      }
    }
    const times = [defaultTimeColumn, Array.from(timeUs)] as const;
    const types = new Map<string, FeatureType>([...keys.map(({ column, type }) => [column, type] as const), [defaultTimeColumn, 'TIMESTAMP']]);
    return { rows: row, timeUs, types, columns: new Map([...keys.map(({ column }, part) => [column, columns[part]!] as const), times]) };
  }

  /** An entity seen for the first time; none when only others are meant. */
  private meet(keys: readonly string[], at: number, timesOf: (Set<number> | undefined)[]): Set<number> | undefined {
    if (this.range.entities) return undefined;
    const times = new Set<number>();
    this.times.set(keys[at]!, times);
    timesOf[at] = times;
    return times;
  }
}
