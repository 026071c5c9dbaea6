import { comparePositions, startOfLog, type Batch, type EventStore, type Position } from '../../../../src/platform/eventstore/port.js';
import { readCheckpoints } from '../../../../src/projections/engine/checkpoints.js';
import { CheckpointMoved, ViewFailed } from '../../../../src/projections/engine/failures.js';
import { Lane } from '../../../../src/projections/engine/lane.js';
import type { Slice } from '../../../../src/projections/engine/slices.js';
import type { World } from '../../../../src/projections/engine/world.js';
import type { View } from '../../../../src/projections/kit/view.js';
import type { Log } from './log.js';

/** Positions are written with every batch, or not before something must be. */
export type Writing = 0 | 1_000_000_000;

/** A lane that reads the log only as far as it is told to. */
class SteppedLane {
  private readonly closing = new AbortController();
  private idle = Promise.withResolvers<void>();
  private order = Promise.withResolvers<number>();
  private readonly ended: Promise<unknown>;
  private hasEnded = false;
  leftOut = false;

  constructor(readonly slices: readonly Slice[], private readonly log: Log, private readonly world: World, writing: Writing) {
    const eventStore = { ...log, subscribe: ({ from }) => this.batches(from) } satisfies Log as unknown as EventStore;
    const lane = new Lane(slices, { ...world, eventStore }, writing, 0);
    this.ended = lane
      .follow(this.closing.signal, { onLeftOut: () => (this.leftOut = true) })
      .then(() => undefined, (error: unknown) => error)
      .finally(() => (this.hasEnded = true));
  }

  /** Takes so many events; gives what the lane has ended with, where it has. */
  async take(events: number): Promise<unknown> {
    await Promise.race([this.idle.promise, this.ended]);
    if (!this.hasEnded) {
      this.idle = Promise.withResolvers();
      this.order.resolve(events);
      await Promise.race([this.idle.promise, this.ended]);
    }
    return this.hasEnded ? ((await this.ended) ?? new CheckpointMoved()) : undefined;
  }

  /** Ends as a process does that is killed: what is not written is forgotten. */
  async close(): Promise<void> {
    this.closing.abort();
    this.order.resolve(0);
    await this.ended;
    for (const slice of this.slices) this.world.reached.leave(slice);
  }

  private async *batches(from: Position): AsyncGenerator<Batch> {
    for (let at = from; ; ) {
      this.idle.resolve();
      const most = await this.order.promise;
      this.order = Promise.withResolvers();
      if (this.closing.signal.aborted) return;
      const events = this.log.events.filter(({ position }) => comparePositions(position, at) > 0).slice(0, most);
      at = events.at(-1)?.position ?? at;
      yield { events, position: at, live: false };
    }
  }
}

/** All slices of a view, followed by lanes that are told when to take how much. */
export class Lanes {
  private lanes: SteppedLane[] = [];
  writing: Writing = 0;

  constructor(private readonly view: View, private readonly log: Log, private readonly world: World) {}

  /** How many slices the view has, as far as the lanes know. */
  get of(): number | undefined {
    return this.lanes[0]?.slices[0]?.of;
  }

  /** One lane takes so many events. What ends it is answered as an owner answers it. */
  async take(which: number, events: number): Promise<void> {
    const lane = this.lanes[which % this.lanes.length];
    if (!lane) return;
    const error = await lane.take(events);
    if (error !== undefined) await this.mend(lane, error);
    else if (lane.leftOut) await this.share(() => 0);
  }

  /** Every slice takes what there is. */
  async takeAll(): Promise<void> {
    const end = await this.log.endOfLog();
    const hold = () => this.lanes.every(({ slices }) => slices.every(({ index }) => comparePositions(this.world.reached.ofOwn(this.view.name, index) ?? startOfLog, end) >= 0));
    for (let rounds = 0; rounds === 0 || !hold(); rounds++) {
      if (rounds > 500) throw new Error('The slices do not come to the end of the log');
      for (let lane = 0; lane < this.lanes.length; lane++) await this.take(lane, Infinity);
    }
  }

  /** Forgets what is only in memory, and shares the slices out anew: each goes to the lane that is said. */
  async share(laneOf: (slice: number) => number): Promise<void> {
    await this.close();
    const of = (await readCheckpoints(this.world.pool)).get(this.view.name)!.slices.length;
    const slices = Array.from({ length: of }, (_, index) => ({ view: this.view, index, of }));
    for (const group of Map.groupBy(slices, ({ index }) => laneOf(index)).values()) this.open(group);
  }

  async close(): Promise<void> {
    for (const lane of this.lanes) await lane.close();
    this.lanes = [];
  }

  private async mend(lane: SteppedLane, error: unknown): Promise<void> {
    if (lane.leftOut) return this.share(() => 0);
    const failed = error instanceof ViewFailed && lane.slices.length > 1 ? error.slice : undefined;
    if (failed === undefined && !(error instanceof CheckpointMoved)) throw error;
    await lane.close();
    this.lanes.splice(this.lanes.indexOf(lane), 1);
    for (const group of Map.groupBy(lane.slices, ({ index }) => index === failed).values()) this.open(group);
    if (failed !== undefined) await this.lanes.at(-1)!.take(0);
  }

  private open(slices: readonly Slice[]): void {
    this.lanes.push(new SteppedLane(slices, this.log, this.world, this.writing));
  }
}
