import { comparePositions, startOfLog, type Position } from '../../platform/eventstore/port.js';

interface Waiter {
  readonly views: readonly string[];
  readonly position: Position;
  readonly done: () => void;
}

/** How far each view holds the log, as far as this process knows, and who waits for it to get further. */
export class Reached {
  private readonly positions = new Map<string, Position>();
  private readonly waiters = new Set<Waiter>();

  get isAwaited(): boolean {
    return this.waiters.size > 0;
  }

  of(view: string): Position {
    return this.positions.get(view) ?? startOfLog;
  }

  /** Notes how far views have come. */
  note(positions: Iterable<readonly [view: string, position: Position]>): void {
    for (const [view, position] of positions) {
      if (comparePositions(position, this.of(view)) > 0) this.positions.set(view, position);
    }
    this.wake();
  }

  /** Forgets what was known in favour of what is committed: a Postgres that crashed may have lost its last commits. */
  replace(positions: Iterable<readonly [view: string, position: Position]>): void {
    this.positions.clear();
    this.note(positions);
  }

  private wake(): void {
    for (const waiter of this.waiters) if (this.holds(waiter.views, waiter.position)) waiter.done();
  }

  holds(views: readonly string[], position: Position): boolean {
    return views.every((view) => comparePositions(this.of(view), position) >= 0);
  }

  /** True as soon as all the views hold the position; false when time is up first. Throws the signal's reason. */
  wait(views: readonly string[], position: Position, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.waiters.delete(waiter);
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
      };
      const settle = (held: boolean) => (leave(), resolve(held));
      const abort = () => (leave(), reject(signal!.reason));
      const timer = setTimeout(() => settle(false), timeoutMs);
      const waiter: Waiter = { views, position, done: () => settle(true) };
      this.waiters.add(waiter);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }
}
