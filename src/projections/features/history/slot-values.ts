import { isNumberColumn, valueAt, type ReadableColumn } from '../../../domain/features/chunk.js';
import type { FeatureValue } from '../../../domain/features/values.js';

/** One feature's value in each slot, null at first. Numbers take eight bytes and no object. */
export class SlotValues {
  /** NaN where there is no number, which no feature holds. */
  private readonly numbers: Float64Array;
  /** What is no number; there once there is any. */
  private others: (FeatureValue | null)[] | undefined;

  constructor(private readonly size: number) {
    this.numbers = new Float64Array(size).fill(NaN);
  }

  at(slot: number): FeatureValue | null {
    const number = this.numbers[slot]!;
    return Number.isNaN(number) ? (this.others?.[slot] ?? null) : number;
  }

  clear(slot: number): void {
    this.put(slot, null);
  }

  /** Gives each of the slots the value of one of the rows of a column. */
  take(slots: readonly number[], rows: readonly number[], column: ReadableColumn | null | undefined): void {
    const { numbers } = this;
    if (this.others === undefined && column && isNumberColumn(column)) slots.forEach((slot, at) => (numbers[slot] = column[rows[at]!]!));
    else slots.forEach((slot, at) => this.put(slot, valueAt(column, rows[at]!)));
  }

  private put(slot: number, value: FeatureValue | null): void {
    const isNumber = typeof value === 'number';
    this.numbers[slot] = isNumber ? value : NaN;
    if (value !== null && !isNumber) this.others ??= new Array<FeatureValue | null>(this.size).fill(null);
    if (this.others) this.others[slot] = isNumber ? null : value;
  }
}
