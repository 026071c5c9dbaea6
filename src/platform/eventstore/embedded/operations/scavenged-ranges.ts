import type { SettingsTable } from '../store/environment.js';

const PREFIX = 'scavenged/';
/** Keys of this length sort as the positions in them do. */
const DIGITS = 16;

/** The parts of the log from which whole blocks were taken away: there, and only there, positions are missing. */
export class ScavengedRanges {
  private constructor(private readonly ranges: { from: number; to: number }[]) {}

  static load(settings: SettingsTable): ScavengedRanges {
    const stored = [...settings.getRange({ start: PREFIX, end: `${PREFIX}~` })];
    return new ScavengedRanges(stored.map(({ key, value }) => ({ from: Number(key.slice(PREFIX.length)), to: value.readDoubleLE(0) })));
  }

  get isEmpty(): boolean {
    return this.ranges.length === 0;
  }

  /** Whether any block between these positions was taken away. */
  touches(from: number, to: number): boolean {
    const next = this.ranges[this.firstEndingAfter(from)];
    return next !== undefined && next.from < to;
  }

  /** Whether every position from `from` up to but without `to` was taken away. */
  covers(from: number, to: number): boolean {
    const next = this.ranges[this.firstEndingAfter(from)];
    return next !== undefined && next.from <= from && to <= next.to;
  }

  /** Notes that the block of these positions goes, in the transaction that removes it; neighbours become one. */
  add(settings: SettingsTable, from: number, to: number): void {
    const at = this.firstEndingAfter(from - 1);
    const touching = this.ranges.slice(at, at + 2).filter((range) => range.from <= to && from <= range.to);
    const merged = { from: Math.min(from, ...touching.map((range) => range.from)), to: Math.max(to, ...touching.map((range) => range.to)) };
    for (const range of touching) if (range.from !== merged.from) void settings.remove(keyOf(range.from));
    const end = Buffer.allocUnsafe(8);
    end.writeDoubleLE(merged.to, 0);
    void settings.put(keyOf(merged.from), end);
    this.ranges.splice(at, touching.length, merged);
  }

  private firstEndingAfter(position: number): number {
    let low = 0;
    let high = this.ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.ranges[middle]!.to > position) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

const keyOf = (position: number): string => PREFIX + String(position).padStart(DIGITS, '0');
