import type { ReadableBlock } from '../chunk.js';
import { valueAt } from '../chunk.js';
import type { FeatureValue } from '../values.js';
import { chanceOf, chances, textHash, type TextHash } from './statistics/seeded.js';

/** The values of the chosen features in one row, in their order. */
export type SampledRow = readonly (FeatureValue | null)[];

/**
 * The rows of a window, in bounded memory: all of them up to a limit, and beyond it a uniform sample of that size. Every
 * entity and event time has a number that looks like chance and never changes; the rows with the smallest numbers are kept.
 * So the choice depends on the rows alone, not on the order in which they come, and the same log gives the same sample.
 * Of an entity's rows with the same event time the last given counts.
 */
export class RowSample {
  /** The latest event time of all rows, sampled or not. */
  latestUs = -Infinity;
  private readonly kept = new Map<number, SampledRow>();
  private bar = chances;
  private overflowed = false;

  constructor(
    private readonly features: readonly string[],
    private readonly limit: number,
  ) {}

  /** Takes one row of a block; `hash` is that of its entity. */
  add({ timeUs, columns }: ReadableBlock, row: number, hash: TextHash): void {
    const time = timeUs[row]!;
    if (time > this.latestUs) this.latestUs = time;
    const chance = chanceOf(hash, time);
    if (chance >= this.bar) return;
    this.put(chance, this.features.map((feature) => valueAt(columns.get(feature), row)));
  }

  /** Takes a row that is known by a text of its own instead of an entity and a time. */
  addNamed(name: string, timeUs: number, values: SampledRow): void {
    if (timeUs > this.latestUs) this.latestUs = timeUs;
    const chance = chanceOf(textHash(name), timeUs);
    if (chance < this.bar) this.put(chance, values);
  }

  /** How many rows there are: exactly while all are kept, and beyond by how close together the smallest numbers lie, within 1 % mostly. */
  get rows(): number {
    const kept = this.chosen().length;
    return this.overflowed ? Math.round((kept * chances) / this.bar) : kept;
  }

  get exact(): boolean {
    this.trim();
    return !this.overflowed;
  }

  /** The sampled rows in an order of their own, which is always the same. */
  chosen(): SampledRow[] {
    this.trim();
    return [...this.kept].sort(([a], [b]) => a - b).map(([, values]) => values);
  }

  private put(chance: number, values: SampledRow): void {
    this.kept.set(chance, values);
    if (this.kept.size >= 2 * this.limit + 2) this.trim();
  }

  /** Keeps the rows with the smallest numbers; the bar is the largest of them, so that no other row comes in again. */
  private trim(): void {
    if (this.kept.size <= this.limit) return;
    const numbers = Float64Array.from(this.kept.keys()).sort();
    this.bar = numbers[this.limit]!;
    this.overflowed = true;
    for (let at = this.limit; at < numbers.length; at++) this.kept.delete(numbers[at]!);
  }
}
