import type { PoolClient } from 'pg';
import { comparePositions, type Batch, type Position, type StoredEvent } from '../../platform/eventstore/port.js';
import type { View } from '../kit/view.js';
import { moveCheckpoints, readCheckpoints } from './checkpoints.js';
import { CheckpointMoved, isPassing, ViewFailed } from './failures.js';
import { inTransaction } from './transaction.js';
import type { World } from './world.js';

/** Positions that no row goes with are written this seldom. */
const idleWrite_ms = 1000;

/** One view on its way: what it holds, and what its checkpoint says, which may be behind when nothing concerned it. */
interface Member {
  readonly view: View;
  readonly types: ReadonlySet<string> | undefined;
  held: Position;
  stored: Position;
}

/** Reads the log once for several views and moves them on together: rows and checkpoints in one transaction a batch. */
export class Lane {
  private members: Member[] = [];
  private writtenAt = 0;

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
        await this.take(batch.events, batch.position);
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
    this.members = this.views.flatMap((view) => {
      const checkpoint = checkpoints.get(view.name);
      if (checkpoint?.version !== view.version) {
        this.world.log.warn({ view: view.name, version: view.version, stored: checkpoint?.version }, 'The view is kept in another version; this process leaves it alone');
        return [];
      }
      const types = view.eventTypes === 'all' ? undefined : new Set(view.eventTypes);
      return [{ view, types, held: checkpoint.position, stored: checkpoint.position }];
    });
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

  /** A view that is alone and fails goes on event by event, so that it stops right before the one it cannot take. */
  private async take(events: readonly StoredEvent[], position: Position): Promise<void> {
    try {
      await this.takeWhole(events, position);
    } catch (error) {
      if (!(error instanceof ViewFailed) || this.members.length > 1 || events.length < 2) throw error;
      const middle = Math.floor(events.length / 2);
      await this.take(events.slice(0, middle), events[middle - 1]!.position);
      await this.take(events.slice(middle), position);
    }
  }

  private async takeWhole(events: readonly StoredEvent[], position: Position): Promise<void> {
    const work = this.share(events);
    if (work.size > 0) await this.project(work, position);
    for (const member of this.members) member.held = later(member.held, position);
    this.noteReached();
    if (work.size === 0 && this.isDue) await this.writePositions();
  }

  /** What concerns each member, without what it holds already: after a restart the lane begins where the last of them is. */
  private share(events: readonly StoredEvent[]): Map<Member, StoredEvent[]> {
    const work = new Map<Member, StoredEvent[]>();
    const [first] = events;
    if (!first) return work;
    for (const member of this.members) {
      const { types, held } = member;
      const allNew = comparePositions(first.position, held) > 0;
      const wanted = events.filter(({ type, position }) => (types?.has(type) ?? true) && (allNew || comparePositions(position, held) > 0));
      if (wanted.length > 0) work.set(member, wanted);
    }
    return work;
  }

  private async project(work: ReadonlyMap<Member, readonly StoredEvent[]>, position: Position): Promise<void> {
    const tx = { client: this.client, table: (name: string) => name };
    await this.moveTo(position, async () => {
      for (const [{ view }, events] of work) {
        try {
          await view.project(events, tx);
        } catch (cause) {
          throw isPassing(cause) ? cause : new ViewFailed(view.name, events, cause);
        }
      }
    });
    for (const [{ view }, events] of work) this.world.rates.count(view.name, events.length);
  }

  private async writePositions(): Promise<void> {
    if (!this.isWritten) await this.moveTo(undefined, async () => {});
  }

  /** The checkpoints move first: a batch that is not the next one is thrown away before any work, and no two writers deadlock. */
  private async moveTo(position: Position | undefined, work: () => Promise<void>): Promise<void> {
    const { rates } = this.world;
    const moves = this.members.map(({ view, stored, held }) => ({
      view,
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

  private noteReached(): void {
    this.world.reached.note(this.members.map(({ view, held }) => [view.name, held] as const));
  }
}

function later(a: Position, b: Position): Position {
  return comparePositions(a, b) >= 0 ? a : b;
}
