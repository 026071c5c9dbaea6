import type { EventStore } from '../store/event-store.js';
import { groupKey, type GroupConfig } from './config.js';

const keyOf = (config: GroupConfig): string => `group-checkpoint/${groupKey(config)}`;

/** Up to where a group's events are all acknowledged, stored now and then so that a restart does not begin at the start. */
export class GroupCheckpoint {
  /** The last place up to which everything was done when it was last stored. */
  stored: number | undefined;
  /** Places that were handed out and are not done, in the order of the source. */
  private readonly open = new Set<number>();
  private last: number | undefined;
  private sinceStored = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly store: EventStore,
    private readonly config: GroupConfig,
  ) {
    this.stored = store.setting(keyOf(config))?.readDoubleLE(0);
    this.last = this.stored;
  }

  began(place: number): void {
    this.open.add(place);
    this.last = place;
  }

  /** Notes an event that the filter does not let through. */
  skipped(place: number): void {
    this.last = place;
    if (this.open.size === 0) this.count();
  }

  done(place: number): void {
    this.open.delete(place);
    this.count();
  }

  /** Stores how far everything is done. */
  save(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.sinceStored = 0;
    const [oldest] = this.open;
    const reached = oldest === undefined ? this.last : oldest - 1;
    if (reached === undefined || reached < 0 || reached === this.stored) return;
    this.stored = reached;
    const value = Buffer.allocUnsafe(8);
    value.writeDoubleLE(reached, 0);
    this.store.setWithNextCommit(keyOf(this.config), value);
  }

  /** Forgets how far the group was: it is gone. */
  static remove(store: EventStore, config: GroupConfig): void {
    store.setWithNextCommit(keyOf(config), undefined);
  }

  private count(): void {
    this.sinceStored++;
    const { maxCheckpointCount, minCheckpointCount, checkpointAfterMs } = this.config;
    if (maxCheckpointCount > 0 && this.sinceStored >= maxCheckpointCount) this.save();
    else if (this.sinceStored >= minCheckpointCount) this.timer ??= setTimeout(() => this.save(), checkpointAfterMs).unref();
  }
}
