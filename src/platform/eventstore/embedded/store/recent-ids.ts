/** Where an event with a known id stands. */
export interface Placed {
  readonly stream: number;
  readonly revision: number;
  readonly position: number;
}

const GENERATION = 25_000;

/**
 * The ids of recent events, by which a repeated append is known. Bounded: two generations, of
 * which the older is dropped when the younger is full.
 */
export class RecentIds {
  private young = new Map<string, Placed>();
  private old = new Map<string, Placed>();

  /** How many of the latest events are worth reading back when the store is opened. */
  static readonly WARM_UP = GENERATION;

  get(id: string): Placed | undefined {
    return this.young.get(id) ?? this.old.get(id);
  }

  add(id: string, placed: Placed): void {
    if (this.young.size >= GENERATION) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(id, placed);
  }

  clear(): void {
    this.young.clear();
    this.old.clear();
  }
}
