import { comparePositions, startOfLog, type Position } from '../../platform/eventstore/port.js';
import type { ViewCheckpoint } from './checkpoints.js';
import type { Slice } from './slices.js';

interface Waiter {
  readonly views: readonly string[];
  readonly position: Position;
  readonly done: () => void;
}

/** A slice's position as this process knows it; of its own slices it knows more than their checkpoints say. */
interface Place {
  position: Position;
  own: boolean;
}

/** For so long after another process has said that it waits, positions are written without delay. */
const hurry_ms = 1000;

/** How far each view holds the log, as far as this process knows, and who waits for it to get further. */
export class Reached {
  /** By view, in the order of its slices. */
  private readonly places = new Map<string, Place[]>();
  private readonly waiters = new Set<Waiter>();
  private hurriedUntil = 0;
  private readonly listeners = new Set<() => void>();

  get isAwaited(): boolean {
    return this.waiters.size > 0;
  }

  /** True while somebody waits for a view of which another process has slices. */
  get isAwaitedFromOthers(): boolean {
    return [...this.waiters].some(({ views }) => !this.owns(views));
  }

  /** Another process waits for positions of this one's slices, and sees only those that are written. */
  hurry(): void {
    this.hurriedUntil = performance.now() + hurry_ms;
    for (const listener of this.listeners) listener();
  }

  get isHurried(): boolean {
    return performance.now() < this.hurriedUntil;
  }

  /** Tells whenever another process says that it waits; returns how to listen no longer. */
  onHurry(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** True while this process keeps any slice. */
  get ownsAny(): boolean {
    return [...this.places.values()].some((slices) => slices.some(({ own }) => own));
  }

  /** True when this process keeps all slices of the views. */
  owns(views: readonly string[]): boolean {
    return views.every((view) => this.places.get(view)?.every(({ own }) => own));
  }

  /** The least of its slices' positions: the slowest may still lack what lies behind. */
  of(view: string): Position {
    const [first, ...others] = this.places.get(view) ?? [];
    return others.reduce((least, { position }) => (comparePositions(position, least) < 0 ? position : least), first?.position ?? startOfLog);
  }

  /** The position of one slice that this process keeps. */
  ofOwn(view: string, slice: number): Position | undefined {
    const place = this.places.get(view)?.[slice];
    return place?.own ? place.position : undefined;
  }

  /** Notes how far slices have come that this process keeps. */
  note(positions: Iterable<readonly [slice: Slice, position: Position]>): void {
    for (const [{ view, index, of }, position] of positions) {
      let places = this.places.get(view.name);
      if (places?.length !== of) this.places.set(view.name, (places = unknown(of)));
      places[index]!.position = position;
      places[index]!.own = true;
    }
    this.wake();
  }

  /** Another process may keep the slice from now on. */
  leave({ view, index }: Slice): void {
    const place = this.places.get(view.name)?.[index];
    if (place) place.own = false;
  }

  /** Takes what is committed for what is so, except of this process's own slices: a Postgres that crashed may have lost its last commits. */
  replace(checkpoints: ReadonlyMap<string, ViewCheckpoint>): void {
    for (const [view, { slices }] of checkpoints) {
      const known = this.places.get(view);
      const places = known?.length === slices.length ? known : unknown(slices.length);
      this.places.set(view, places);
      for (const { slice, position } of slices) if (!places[slice]!.own) places[slice]!.position = position;
    }
    for (const view of this.places.keys()) if (!checkpoints.has(view)) this.places.delete(view);
    this.wake();
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

const unknown = (slices: number): Place[] => Array.from({ length: slices }, () => ({ position: startOfLog, own: false }));
