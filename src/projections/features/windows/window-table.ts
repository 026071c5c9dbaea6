import { valueAt, type BlockHead, type ReadableBlock } from '../../../domain/features/chunk.js';
import { firstAfter, type EntityRows } from '../../../domain/features/transformations/windows.js';
import type { FeatureValue } from '../../../domain/features/values.js';
import { Refusal } from '../../../domain/kit/index.js';
import type { HistoryEvent } from '../history/events.js';
import { concerns } from '../history/tell.js';

/** What is kept of a group's rows: these features, for so long. */
export interface Kept {
  readonly version: number;
  readonly features: readonly string[];
  readonly durationUs: number;
}

/** The most rows that one group's windows may hold in memory. */
export const mostRowsHeld = 5_000_000;
/** Rows that have left every window are looked for each time so many rows were added, or as many as are held. */
const sweepEvery = 100_000;

/**
 * The newest rows of every entity of one version of a group, by event time: as long as the longest window over them.
 * Takes the group's events in the order of the log; a row replaces an earlier one of the entity with the same event time.
 */
export class WindowTable {
  private readonly entities = new Map<string, EntityTable>();
  private rows = 0;
  private added = 0;

  constructor(
    readonly kept: Kept,
    private readonly nowUs: () => number,
  ) {}

  get size(): number {
    return this.rows;
  }

  take(event: HistoryEvent): void {
    if ('deleted' in event) {
      if (!concerns(event, this.kept.version)) return;
      this.rows -= this.entities.get(event.deleted.key)?.timeUs.length ?? 0;
      this.entities.delete(event.deleted.key);
    } else if (event.block.version === this.kept.version && event.block.mode !== 'OFFLINE') this.add(event.block);
  }

  /** An entity's rows; none for one that has none. */
  rowsOf(key: string): EntityRows {
    return this.entities.get(key) ?? none;
  }

  private add(block: BlockHead & ReadableBlock): void {
    const oldestUs = this.nowUs() - this.kept.durationUs;
    const tables = new Array<EntityTable | undefined>(block.keys.length);
    const columns = this.kept.features.map((feature) => block.columns.get(feature));
    for (let row = 0; row < block.rows; row++) {
      const timeUs = block.timeUs[row]!;
      if (timeUs <= oldestUs) continue;
      const at = block.key[row]!;
      const table = (tables[at] ??= this.tableOf(block.keys[at]!));
      const place = table.placeOf(timeUs);
      if (place.isNew) this.rows++;
      columns.forEach((column, feature) => table.put(feature, place, valueAt(column, row)));
    }
    this.added += block.rows;
    if (this.added >= Math.max(sweepEvery, this.rows)) this.sweep(oldestUs);
    if (this.rows > mostRowsHeld) throw new Refusal('RESOURCE_EXHAUSTED', `The windows over ${block.group} hold more than ${mostRowsHeld} rows; take a shorter duration, or let a pipeline compute them`, { reason: 'WINDOWS_TOO_LARGE' });
  }

  private tableOf(key: string): EntityTable {
    let table = this.entities.get(key);
    if (!table) this.entities.set(key, (table = new EntityTable(this.kept.features)));
    return table;
  }

  private sweep(oldestUs: number): void {
    this.added = 0;
    for (const [key, table] of this.entities) {
      this.rows -= table.dropUntil(oldestUs);
      if (table.timeUs.length === 0) this.entities.delete(key);
    }
  }
}

/** Where a row stands, and whether it pushes in there or replaces another. */
interface Place {
  readonly at: number;
  readonly isNew: boolean;
}

class EntityTable implements EntityRows {
  readonly timeUs: number[] = [];
  private readonly values: (FeatureValue | null)[][];

  constructor(private readonly features: readonly string[]) {
    this.values = features.map(() => []);
  }

  /** Rows mostly come in the order of time, so most stand at the end. */
  placeOf(timeUs: number): Place {
    const { length } = this.timeUs;
    if (length === 0 || this.timeUs[length - 1]! < timeUs) {
      this.timeUs.push(timeUs);
      return { at: length, isNew: true };
    }
    const after = firstAfter(this.timeUs, timeUs);
    if (after > 0 && this.timeUs[after - 1] === timeUs) return { at: after - 1, isNew: false };
    this.timeUs.splice(after, 0, timeUs);
    return { at: after, isNew: true };
  }

  put(feature: number, { at, isNew }: Place, value: FeatureValue | null): void {
    const column = this.values[feature]!;
    if (!isNew) column[at] = value;
    else if (at === column.length) column.push(value);
    else column.splice(at, 0, value);
  }

  column(feature: string): readonly (FeatureValue | null)[] {
    return this.values[this.features.indexOf(feature)]!;
  }

  /** Forgets the rows up to a moment, and says how many. */
  dropUntil(timeUs: number): number {
    const count = firstAfter(this.timeUs, timeUs);
    if (count === 0) return 0;
    this.timeUs.splice(0, count);
    for (const column of this.values) column.splice(0, count);
    return count;
  }
}

const none: EntityRows = { timeUs: [], column: () => [] };
