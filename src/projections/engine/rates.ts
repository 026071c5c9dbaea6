const window_s = 60;

/** Counts events a view, and knows how many a second there were over the last minute. */
export class Rates {
  private readonly counts = new Map<string, SlidingCount>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  count(view: string, events: number): void {
    let count = this.counts.get(view);
    if (!count) this.counts.set(view, (count = new SlidingCount()));
    count.add(events, Math.floor(this.now() / 1000));
  }

  perSecond(view: string): number {
    return (this.counts.get(view)?.total(Math.floor(this.now() / 1000)) ?? 0) / window_s;
  }
}

/** A ring of one-second buckets. */
class SlidingCount {
  private readonly buckets = new Array<number>(window_s).fill(0);
  private latest = 0;

  add(events: number, second: number): void {
    this.advance(second);
    this.buckets[second % window_s]! += events;
  }

  total(second: number): number {
    this.advance(second);
    return this.buckets.reduce((sum, count) => sum + count, 0);
  }

  private advance(second: number): void {
    for (let passed = Math.max(this.latest + 1, second - window_s + 1); passed <= second; passed++) this.buckets[passed % window_s] = 0;
    this.latest = second;
  }
}
