import { decodeKey, partitionOf } from '../../../domain/features/keys.js';
import { Refusal } from '../../../domain/kit/index.js';
import type { Position } from '../../../platform/eventstore/port.js';
import { isKnown, type KnownAt } from './known.js';
import type { Partition, Replay } from './replay.js';
import type { RequestTable } from './request-table.js';
import type { Plan, PlannedJoin } from './selection.js';
import { isHistoryOf, joinHistory, type TrainingSet } from './training-set.js';

/** The name of the time column where the caller does not choose one. */
export const defaultTimeColumn = 'event_time';

/** The most rows that one slice of a question without rows may have; they are held in memory while they are joined. */
const mostRowsOfSlice = 5_000_000;
const day = 86_400_000_000;

/** A stretch of event times, both ends included. */
export interface TimeRange {
  readonly startUs: number;
  readonly endUs: number;
}

/** The stretch that is meant where the caller gives no start: as far back as any joined value may lie, 30 days where they never run out. */
export function rangeOf(startUs: number | undefined, endUs: number, { joins }: Plan): TimeRange {
  const longestTtl = Math.max(...joins.map(({ definition }) => definition.ttlSeconds)) * 1_000_000;
  return { startUs: startUs ?? endUs - (longestTtl === 0 ? 30 * day : longestTtl), endUs };
}

/**
 * A training set without rows asked for: one row for every entity and event time at which any of the groups was
 * written within the range, by entity and time, joined like any other row. It comes slice by slice (entities whose
 * rows share partitions), so that only one slice is in memory.
 */
export async function* joinEntityTimes(replay: Replay, plan: Plan, range: TimeRange, known: KnownAt & { readonly position: Position }, signal?: AbortSignal): AsyncGenerator<TrainingSet> {
  const definitions = [...new Set(plan.joins.map(({ definition }) => definition))];
  const slices = definitions.map(({ partitions }) => partitions).reduce(greatestCommonDivisor);
  for (let slice = 0; slice < slices; slice++) {
    const partitions = definitions.flatMap(({ project, group, partitions }) =>
      Array.from({ length: partitions / slices }, (_, nth): Partition => ({ project, group, partition: slice + nth * slices })),
    );
    const times = new EntityTimes(range);
    const versions = new Map(definitions.map(({ group, version }) => [group, version]));
    await replay.run(
      partitions,
      known.position,
      (event, { group }) => {
        if (isHistoryOf(event, versions.get(group)!) && isKnown(known, event)) times.add(event.block);
      },
      signal,
    );
    if (times.size > 0) yield joinHistory(replay, times.table(plan.joins[0]!), plan, known, signal);
  }
}

/** Without rows there is one kind of entity; refuses groups whose keys differ. */
export function requireSameKeys([first, ...others]: readonly PlannedJoin[]): void {
  const keysOf = ({ keys }: PlannedJoin) => keys.map(({ column, type }) => `${column} ${type}`).join(', ');
  const other = others.find((join) => keysOf(join) !== keysOf(first!));
  if (other === undefined) return;
  throw new Refusal('INVALID_ARGUMENT', `${first!.name} and ${other.name} have different keys, so the request must give the rows`, { reason: 'ROWS_NEEDED' });
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));

/** The distinct event times of entities. */
class EntityTimes {
  private readonly times = new Map<string, Set<number>>();
  size = 0;

  constructor(private readonly range: TimeRange) {}

  add({ rows, keys, key, timeUs }: { rows: number; keys: readonly string[]; key: ArrayLike<number>; timeUs: ArrayLike<number> }): void {
    const { startUs, endUs } = this.range;
    for (let row = 0; row < rows; row++) {
      const time = timeUs[row]!;
      if (time < startUs || time > endUs) continue;
      const entity = keys[key[row]!]!;
      let known = this.times.get(entity);
      if (known === undefined) this.times.set(entity, (known = new Set()));
      if (known.has(time)) continue;
      known.add(time);
      this.size++;
    }
    if (this.size > mostRowsOfSlice) throw new Refusal('RESOURCE_EXHAUSTED', `The range holds more than ${mostRowsOfSlice} rows of one slice; ask for a shorter one`, { reason: 'RANGE_TOO_LARGE' });
  }

  table({ keys }: PlannedJoin): RequestTable {
    const timeUs = new Float64Array(this.size);
    const columns = keys.map((): unknown[] => new Array(this.size));
    let row = 0;
    for (const entity of [...this.times.keys()].sort()) {
      const values = decodeKey(entity);
      for (const time of Float64Array.from(this.times.get(entity)!).sort()) {
        timeUs[row] = time;
        values.forEach((value, part) => (columns[part]![row] = value));
        row++;
      }
    }
    const times = [defaultTimeColumn, Array.from(timeUs)] as const;
    return { rows: row, timeColumn: defaultTimeColumn, timeUs, columns: new Map([...keys.map(({ column }, part) => [column, columns[part]!] as const), times]) };
  }
}
