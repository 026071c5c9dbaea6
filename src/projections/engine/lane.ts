import type { PoolClient } from 'pg';
import { comparePositions, type Batch, type Position, type StoredEvent } from '../../platform/eventstore/port.js';
import type { View, ViewTransaction } from '../kit/view.js';
import { moveCheckpoints, readCheckpoints } from './checkpoints.js';
import { CheckpointMoved, isOfOneEvent, isPassing, ViewFailed } from './failures.js';
import { divide, type HeldEvent } from './parking/keys.js';
import { Shelf } from './parking/shelf.js';
import { parkOne } from './parking/take.js';
import { backoff_ms, pause } from './pause.js';
import { inTransaction } from './transaction.js';
import type { World } from './world.js';

/** Positions that no row goes with are written this seldom. */
const idleWrite_ms = 1000;

/** An event that fails is tried this often, with waits in between, before its key is parked. */
const triesBeforeParking = 5;
/** The waits of a lane together: when many events fail, the view itself is at fault, and the healthy keys need not wait for each of them. */
const patience_ms = 5000;

/** One view on its way: what it holds, and what its checkpoint says, which may be behind when nothing concerned it. */
interface Member {
  readonly view: View;
  readonly types: ReadonlySet<string> | undefined;
  held: Position;
  stored: Position;
  readonly parking: number;
  readonly shelf: Shelf;
  readonly parked: Set<string>;
}

/** What a batch holds for one member: events to project, and events that wait behind parked keys. */
interface Share {
  readonly free: readonly StoredEvent[];
  readonly held: readonly HeldEvent[];
}

/** Reads the log once for several views and moves them on together: rows and checkpoints in one transaction a batch. */
export class Lane {
  private members: Member[] = [];
  private writtenAt = 0;
  private patienceLeft_ms = patience_ms;

  constructor(
    private readonly views: readonly View[],
    private readonly client: PoolClient,
    private readonly world: World,
  ) {}

  /**
   * Follows the log from the stored checkpoints: until the signal aborts, or with `untilLive` until the log's end.
   * Throws ViewFailed when one view must leave, CheckpointMoved when the checkpoints must be read again.
   */
  async follow(signal: AbortSignal, { untilLive = false } = {}): Promise<void> {
    await this.takePlaces();
    if (this.members.length === 0) return;
    const from = this.members.map(({ held }) => held).reduce((least, held) => (comparePositions(held, least) < 0 ? held : least));
    const ended = new AbortController();
    const batches = this.world.eventStore.subscribe({ from, signal: AbortSignal.any([signal, ended.signal]) })[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { value: batch, done } = await this.nextBatch(batches, signal);
        if (done || signal.aborted) break;
        await this.take(batch.events, batch.position, signal);
        if (untilLive && batch.live) break;
      }
      if (!signal.aborted) await this.writePositions();
    } finally {
      ended.abort();
    }
  }

  /** Every lane starts from what is committed. A view of which another release keeps the rows is left to that release. */
  private async takePlaces(): Promise<void> {
    const checkpoints = await readCheckpoints(this.client);
    this.members = [];
    for (const view of this.views) {
      const checkpoint = checkpoints.get(view.name);
      if (checkpoint?.version !== view.version) {
        this.world.log.warn({ view: view.name, version: view.version, stored: checkpoint?.version }, 'The view is kept in another version; this process leaves it alone');
        continue;
      }
      const { position, parking } = checkpoint;
      const types = view.eventTypes === 'all' ? undefined : new Set(view.eventTypes);
      const shelf = new Shelf(view);
      this.members.push({ view, types, held: position, stored: position, parking, shelf, parked: await shelf.keys(this.client) });
    }
    this.noteReached();
  }

  /** Waits for the next batch; when none comes for a while, positions that only moved in memory are written. */
  private async nextBatch(batches: AsyncIterator<Batch>, signal: AbortSignal): Promise<IteratorResult<Batch>> {
    const next = batches.next();
    if (this.isWritten || signal.aborted) return next;
    let timer: NodeJS.Timeout | undefined;
    const idle = new Promise<void>((resolve) => (timer = setTimeout(resolve, idleWrite_ms)));
    await Promise.race([next, idle]);
    clearTimeout(timer);
    if (!this.isWritten && this.isDue && !signal.aborted) await this.writePositions();
    return next;
  }

  private get isWritten(): boolean {
    return this.members.every(({ held, stored }) => held === stored);
  }

  private get isDue(): boolean {
    return performance.now() - this.writtenAt >= idleWrite_ms;
  }

  /** A view that is alone and fails goes on event by event, so that only the one it cannot take is parked. */
  private async take(events: readonly StoredEvent[], position: Position, signal: AbortSignal): Promise<void> {
    try {
      await this.takeWhole(events, position);
    } catch (error) {
      if (!(error instanceof ViewFailed) || this.members.length > 1) throw error;
      if (events.length < 2) return this.insist(events, position, error, signal);
      const middle = Math.floor(events.length / 2);
      await this.take(events.slice(0, middle), events[middle - 1]!.position, signal);
      await this.take(events.slice(middle), position, signal);
    }
  }

  /** Tries one event again and again, and parks its key when that does not help. */
  private async insist(events: readonly StoredEvent[], position: Position, failure: ViewFailed, signal: AbortSignal): Promise<void> {
    for (let tries = 1; tries < triesBeforeParking && isOfOneEvent(failure.cause); tries++) {
      const wait_ms = Math.min(backoff_ms(tries - 1), this.patienceLeft_ms);
      this.patienceLeft_ms -= wait_ms;
      await pause(wait_ms, signal);
      if (signal.aborted) throw failure;
      try {
        return await this.takeWhole(events, position);
      } catch (error) {
        if (!(error instanceof ViewFailed)) throw error;
        failure = error;
      }
    }
    await this.park(events[0], position, failure);
  }

  /** The rest of the view goes on; what comes later for the key waits behind the event. */
  private async park(event: StoredEvent | undefined, position: Position, failure: ViewFailed): Promise<void> {
    const [member] = this.members;
    if (!member || !event || !isOfOneEvent(failure.cause)) throw failure;
    const { view, shelf, parked } = member;
    const found = new Set(parked);
    await this.moveTo(position, () => parkOne({ view, shelf, tx: this.tx, parked: found }, event, failure, triesBeforeParking));
    for (const key of found) parked.add(key);
    this.world.parked.forget();
    this.world.log.error({ err: failure.cause, view: view.name, event: event.id }, `${failure.message}; its key is parked`);
    this.noteReached();
  }

  private async takeWhole(events: readonly StoredEvent[], position: Position): Promise<void> {
    const work = this.share(events);
    if (work.size > 0) await this.project(work, position);
    for (const member of this.members) member.held = later(member.held, position);
    this.noteReached();
    if (work.size === 0 && this.isDue) await this.writePositions();
  }

  /** What concerns each member, without what it holds already: after a restart the lane begins where the last of them is. */
  private share(events: readonly StoredEvent[]): Map<Member, Share> {
    const work = new Map<Member, Share>();
    const [first] = events;
    if (!first) return work;
    for (const member of this.members) {
      const { view, types, held, parked } = member;
      const allNew = comparePositions(first.position, held) > 0;
      const wanted = events.filter(({ type, position }) => (types?.has(type) ?? true) && (allNew || comparePositions(position, held) > 0));
      if (wanted.length > 0) work.set(member, divide(view, parked, wanted));
    }
    return work;
  }

  private async project(work: ReadonlyMap<Member, Share>, position: Position): Promise<void> {
    await this.moveTo(position, async () => {
      for (const [{ view, shelf }, { free, held }] of work) {
        await shelf.hold(this.client, held);
        if (free.length === 0) continue;
        try {
          await view.project(free, this.tx);
        } catch (cause) {
          throw isPassing(cause) ? cause : new ViewFailed(view.name, free, cause);
        }
      }
    });
    for (const [{ view, parked }, { free, held }] of work) {
      this.world.rates.count(view.name, free.length);
      for (const { key } of held) parked.add(key);
    }
  }

  private async writePositions(): Promise<void> {
    if (!this.isWritten) await this.moveTo(undefined, async () => {});
  }

  /** The checkpoints move first: a batch that is not the next one is thrown away before any work, and no two writers deadlock. */
  private async moveTo(position: Position | undefined, work: () => Promise<void>): Promise<void> {
    const { rates } = this.world;
    const moves = this.members.map(({ view, stored, held, parking }) => ({
      view,
      parking,
      from: stored,
      to: position ? later(held, position) : held,
      eventsPerSecond: rates.perSecond(view.name),
    }));
    await inTransaction(this.client, async () => {
      if (!(await moveCheckpoints(this.client, moves))) throw new CheckpointMoved();
      await work();
    });
    for (const [index, member] of this.members.entries()) member.held = member.stored = moves[index]!.to;
    this.writtenAt = performance.now();
  }

  private get tx(): ViewTransaction {
    return { client: this.client, table: (name) => name };
  }

  private noteReached(): void {
    this.world.reached.note(this.members.map(({ view, held }) => [view.name, held] as const));
  }
}

function later(a: Position, b: Position): Position {
  return comparePositions(a, b) >= 0 ? a : b;
}
