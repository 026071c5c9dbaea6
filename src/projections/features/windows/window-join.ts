import { valueAt, type ReadableBlock } from '../../../domain/features/chunk.js';
import type { EntityRows } from '../../../domain/features/transformations/windows.js';
import type { FeatureValue } from '../../../domain/features/values.js';
import type { Moments } from '../history/slots.js';
import { deletedStatus } from '../online/status.js';
import type { ValuesAndStatuses } from '../transformations/compute.js';
import type { PlannedWindow } from '../transformations/plan.js';
import { windowValue } from './window-value.js';

/** What is held of one entity: its rows as they come in the log, and its deletions. */
interface Gathered {
  readonly earliestUs: number;
  readonly latestUs: number;
  readonly timeUs: number[];
  readonly step: number[];
  readonly recordedAtUs: number[];
  readonly values: (FeatureValue | null)[][];
  readonly deletions: { readonly step: number; readonly recordedAtUs: number }[];
  /** Whether it was deleted after what is known. */
  erased: boolean;
}

/**
 * Windows over one group's rows at many moments. Feed it the group's history in the order of the log, as a
 * PointInTimeJoin; a row replaces an earlier one of the entity with the same event time.
 */
export class WindowJoin {
  private readonly entities = new Map<string, Gathered>();
  private readonly features: readonly string[];
  private step = 0;

  constructor(
    private readonly moments: Moments,
    private readonly windows: readonly PlannedWindow[],
    private readonly knownAtRowTime = false,
  ) {
    this.features = [...new Set(windows.flatMap(({ feature }) => feature ?? []))];
    const longest = Math.max(...windows.map(({ spec }) => spec.durationUs));
    const ranges = new Map<string, { from: number; to: number }>();
    moments.timeUs.forEach((atUs, row) => {
      const key = moments.keys[moments.key[row]!];
      if (key === undefined) return;
      const range = ranges.get(key);
      ranges.set(key, { from: Math.min(range?.from ?? atUs, atUs), to: Math.max(range?.to ?? atUs, atUs) });
    });
    for (const [key, { from, to }] of ranges) {
      this.entities.set(key, { earliestUs: from - longest, latestUs: to, timeUs: [], step: [], recordedAtUs: [], values: this.features.map(() => []), deletions: [], erased: false });
    }
  }

  add(block: ReadableBlock, recordedAtUs: number): void {
    const step = ++this.step;
    const wanted = block.keys.map((key) => this.entities.get(key));
    if (wanted.every((one) => one === undefined)) return;
    const columns = this.features.map((feature) => block.columns.get(feature));
    for (let row = 0; row < block.rows; row++) {
      const held = wanted[block.key[row]!];
      const timeUs = block.timeUs[row]!;
      if (held === undefined || timeUs <= held.earliestUs || timeUs > held.latestUs) continue;
      held.timeUs.push(timeUs);
      held.step.push(step);
      held.recordedAtUs.push(recordedAtUs);
      columns.forEach((column, at) => held.values[at]!.push(valueAt(column, row)));
    }
  }

  delete(keys: readonly string[], recordedAtUs: number): void {
    const step = ++this.step;
    for (const key of keys) this.entities.get(key)?.deletions.push({ step, recordedAtUs });
  }

  erase(keys: readonly string[]): void {
    for (const key of keys) {
      const held = this.entities.get(key);
      if (held) held.erased ||= held.timeUs.length > 0;
    }
  }

  /** Each window's values at the moments. Call it once, after all history. */
  finish(): ReadonlyMap<PlannedWindow, ValuesAndStatuses> {
    const rows = this.moments.key.length;
    const answers = new Map(this.windows.map((window) => [window, { values: new Array<FeatureValue | null>(rows), statuses: new Uint8Array(rows) }]));
    const views = new Map<Gathered, Visible>();
    this.moments.timeUs.forEach((atUs, row) => {
      const key = this.moments.keys[this.moments.key[row]!];
      const held = key === undefined ? undefined : this.entities.get(key)!;
      const visible = held && (this.knownAtRowTime ? this.visible(held, atUs) : (views.get(held) ?? this.visible(held, Infinity)));
      if (held && visible && !this.knownAtRowTime) views.set(held, visible);
      for (const [window, { values, statuses }] of answers) {
        const { value, status } = windowValue(window, visible, atUs);
        const hidden = visible !== undefined && status !== 3 && visible.tellsDeleted(atUs - window.spec.durationUs, atUs);
        values[row] = hidden ? null : value;
        statuses[row] = hidden ? deletedStatus : status;
      }
    });
    return answers;
  }

  /** The rows that were known at a moment, each event time once: the later write counts. */
  private visible(held: Gathered, knownUs: number): Visible {
    const deleted = held.deletions.findLast(({ recordedAtUs }) => recordedAtUs <= knownUs)?.step ?? -1;
    const order: number[] = [];
    for (let at = 0; at < held.timeUs.length; at++) if (held.step[at]! > deleted && held.recordedAtUs[at]! <= knownUs) order.push(at);
    order.sort((a, b) => held.timeUs[a]! - held.timeUs[b]! || a - b);
    const rows = order.filter((at, place) => place === order.length - 1 || held.timeUs[order[place + 1]!] !== held.timeUs[at]);
    const later = held.erased ? Infinity : (held.deletions.findLast(({ recordedAtUs }) => recordedAtUs > knownUs)?.step ?? -1);
    return new Visible(held, rows, this.features, later);
  }
}

/** An entity's rows as they are seen from a moment. */
class Visible implements EntityRows {
  readonly timeUs: Float64Array;
  private readonly columns = new Map<string, (FeatureValue | null)[]>();

  constructor(
    private readonly held: Gathered,
    private readonly rows: readonly number[],
    private readonly features: readonly string[],
    private readonly deletedBefore: number,
  ) {
    this.timeUs = Float64Array.from(rows, (at) => held.timeUs[at]!);
  }

  column(feature: string): (FeatureValue | null)[] {
    let column = this.columns.get(feature);
    if (column === undefined) {
      const values = this.held.values[this.features.indexOf(feature)]!;
      this.columns.set(feature, (column = this.rows.map((at) => values[at]!)));
    }
    return column;
  }

  /** Whether a row in (from, to] belongs to an entity that was deleted later. */
  tellsDeleted(fromUs: number, toUs: number): boolean {
    return this.deletedBefore >= 0 && this.rows.some((at) => this.held.step[at]! < this.deletedBefore && this.held.timeUs[at]! > fromUs && this.held.timeUs[at]! <= toUs);
  }
}
