import type { PoolClient } from 'pg';
import { comparePositions, type Position, type StoredEvent } from '../../platform/eventstore/port.js';
import type { ViewTransaction } from '../kit/view.js';
import { heldCheckpoints, moveCheckpoints, type ViewCheckpoint } from './checkpoints.js';
import { CheckpointMoved, ConnectionBroken, isLockTimeout, isOfOneEvent, isPassing, ViewFailed, ViewsHeldUp } from './failures.js';
import { memberAt, shareOf, type Member } from './member.js';
import type { Division } from './parking/keys.js';
import { parkOne } from './parking/take.js';
import { backoff_ms, pause } from './pause.js';
import { Stopwatch } from './slow-views.js';
import { sliceName, type Slice, type Sorting } from './slices.js';
import { inBatchTransaction, silence_ms } from './transaction.js';
import type { World } from './world.js';

/** Positions that no row goes with are written this seldom, unless another process waits for them. */
export const idleWrite_ms = 1000;

/** What the members take on a move. */
type Taken = ReadonlyMap<Member, Division>;
const nothing: Taken = new Map();

/** An event that fails is tried this often, with waits in between, before its key is parked. */
const triesBeforeParking = 5;
/** The waits of a track together: when many events fail, the view itself is at fault, and the healthy keys need not wait for each of them. */
export const patienceWithEvents_ms = 5000;

/** Slices that move on together over one connection: rows and checkpoints in one transaction a batch. */
export class Track {
  /** Whether nobody stands beside its only slice in the lane, and waits while it tries again. */
  isAlone = true;
  /** Whether its views leave the lane rather than wait for locks. */
  givesWay = false;
  private members: Member[] = [];
  private writtenAt = 0;

  constructor(
    private readonly slices: readonly Slice[],
    private readonly client: PoolClient,
    private readonly world: World,
    private readonly writeEvery_ms = idleWrite_ms,
    private patienceLeft_ms = patienceWithEvents_ms,
  ) {}

  /** Where each of its slices stands; none when another release keeps all of them. */
  get positions(): readonly Position[] {
    return this.members.map(({ held }) => held);
  }

  /** Every track starts from what is committed. A view that is kept in another version, or split otherwise by now, is left out; returns what is. */
  async takePlaces(checkpoints: ReadonlyMap<string, ViewCheckpoint>, sortingOf: (slice: Slice) => Sorting): Promise<readonly Slice[]> {
    this.members = [];
    const leftOut: Slice[] = [];
    for (const slice of this.slices) {
      const checkpoint = checkpoints.get(slice.view.name);
      if (checkpoint?.version !== slice.view.version || checkpoint.slices.length !== slice.of) leftOut.push(slice);
      else this.members.push(await memberAt(slice, checkpoint, slice.of > 1 ? sortingOf(slice) : undefined, this.client));
    }
    this.noteReached();
    return leftOut;
  }

  /** True when positions have moved that are not written, and it is time to. */
  get isDue(): boolean {
    return !this.isWritten && this.isTime;
  }

  private get isTime(): boolean {
    return this.world.reached.isHurried || performance.now() - this.writtenAt >= this.writeEvery_ms;
  }

  get isWritten(): boolean {
    return this.members.every(({ held, stored }) => held === stored);
  }

  /** Takes a batch, in pieces where a view is slow. */
  async take(events: readonly StoredEvent[], position: Position, signal: AbortSignal): Promise<void> {
    let left = events;
    for (let most; left.length > (most = this.world.slowViews.mostEvents(this.views)) && !signal.aborted; left = left.slice(most)) {
      await this.takePiece(left.slice(0, most), left[most - 1]!.position, signal);
    }
    if (!signal.aborted) await this.takePiece(left, position, signal);
  }

  /** A slice that is alone and fails goes on event by event, so that only the one it cannot take is parked. */
  private async takePiece(events: readonly StoredEvent[], position: Position, signal: AbortSignal): Promise<void> {
    try {
      await this.takeWhole(events, position);
    } catch (error) {
      if (!(error instanceof ViewFailed) || !this.isAlone) throw error;
      if (events.length < 2) return this.insist(events, position, error, signal);
      const middle = Math.floor(events.length / 2);
      await this.takePiece(events.slice(0, middle), events[middle - 1]!.position, signal);
      await this.takePiece(events.slice(middle), position, signal);
    }
  }

  /** Writes positions that moved without any row. */
  async writePositions(): Promise<void> {
    if (!this.isWritten) await this.moveTo(undefined, nothing, async () => {});
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
    const { slice: { view }, shelf, parked } = member;
    await this.moveTo(position, nothing, () => parkOne({ view, shelf, tx: this.tx, parked }, event, failure, triesBeforeParking));
    this.tellParked(failure, event);
    this.noteReached();
  }

  private tellParked({ view, cause, message }: ViewFailed, event: StoredEvent): void {
    this.world.parked.forget();
    this.world.log.error({ err: cause, view, event: event.id }, `${message}; its key is parked`);
  }

  private async takeWhole(events: readonly StoredEvent[], position: Position): Promise<void> {
    const work = new Map<Member, Division>();
    for (const member of this.members) {
      const share = shareOf(member, events);
      if (share) work.set(member, share);
    }
    if (work.size > 0) await this.project(work, events, position);
    for (const member of this.members) member.held = later(member.held, position);
    this.noteReached();
    if (this.isDue) await this.writePositions();
  }

  /** One transaction for all members that have work. Where it is lost, the view that took longest gets less to do at a time. */
  private async project(work: ReadonlyMap<Member, Division>, events: readonly StoredEvent[], position: Position): Promise<void> {
    const { slowViews, log } = this.world;
    const watch = new Stopwatch();
    try {
      await this.moveTo(position, work, async () => {
        for (const [member, share] of work) await watch.time(member.slice.view.name, () => this.projectShare(member, share));
      }, slowViews.silence_ms(this.views, events.length));
    } catch (error) {
      if (error instanceof ConnectionBroken && slowViews.lost(watch, events)) {
        log.warn({ view: watch.slowest, events: events.length, took_ms: Math.round(watch.took_ms) }, 'A view has computed for so long that Postgres took this process for dead; it gets less to do at a time, or more time');
      }
      throw error;
    }
    slowViews.taken(this.views);
    for (const [{ slice, parked }, { free, held, marked }] of work) {
      const tooMuch = slowViews.tooMuch(slice.view.name, free);
      if (tooMuch) this.tellParked(new ViewFailed(slice.view.name, free, tooMuch), free[0]!);
      this.world.rates.count(sliceName(slice), free.length);
      parked.addAll(held);
      parked.addAll(marked);
    }
  }

  private async projectShare({ slice: { view, index }, shelf, parked }: Member, { free, held, marked }: Division): Promise<void> {
    await shelf.hold(this.client, held);
    await shelf.mark(this.client, marked);
    if (free.length === 0) return;
    const tooMuch = this.world.slowViews.tooMuch(view.name, free);
    try {
      if (tooMuch) await parkOne({ view, shelf, tx: this.tx, parked }, free[0]!, new ViewFailed(view.name, free, tooMuch, index));
      else await view.project(free, this.tx);
    } catch (cause) {
      if (this.givesWay && isLockTimeout(cause)) throw new ViewsHeldUp([view.name]);
      throw isPassing(cause) ? cause : new ViewFailed(view.name, free, cause, index);
    }
  }

  /** The checkpoints move first: a batch that is not the next one is thrown away before any work, and no two writers deadlock. */
  private async moveTo(position: Position | undefined, taken: Taken, work: () => Promise<void>, longestSilence_ms = silence_ms): Promise<void> {
    const { rates } = this.world;
    // A batch of one domain would else write the checkpoints of all.
    const moving = taken.size === 0 || this.isTime ? this.members : [...taken.keys()];
    const moves = moving.map((member) => ({
      slice: member.slice,
      parking: member.parking,
      from: member.stored,
      to: position ? later(member.held, position) : member.held,
      eventsPerSecond: rates.perSecond(sliceName(member.slice)),
      events: taken.get(member)?.free.length ?? 0,
    }));
    const move = () =>
      inBatchTransaction(this.client, async () => {
        if (!(await moveCheckpoints(this.client, moves))) throw new CheckpointMoved();
        await work();
      }, longestSilence_ms, this.givesWay);
    try {
      await (longestSilence_ms > silence_ms && this.world.whileSilent ? this.world.whileSilent(longestSilence_ms, move) : move());
    } catch (error) {
      throw this.givesWay && isLockTimeout(error) ? await this.heldUp(error) : error;
    }
    for (const [index, member] of moving.entries()) member.held = member.stored = moves[index]!.to;
    if (moving === this.members) this.writtenAt = performance.now();
  }

  /** Who holds a checkpoint takes up parked events, say, or switches to other rows. */
  private async heldUp(error: unknown): Promise<unknown> {
    const views = await heldCheckpoints(this.client, this.views);
    return views.length > 0 ? new ViewsHeldUp(views) : error;
  }

  private get views(): readonly string[] {
    return this.members.map(({ slice }) => slice.view.name);
  }

  private get tx(): ViewTransaction {
    return { client: this.client, table: (name) => name };
  }

  private noteReached(): void {
    this.world.reached.note(this.members.map(({ slice, held }) => [slice, held] as const));
  }
}

function later(a: Position, b: Position): Position {
  return comparePositions(a, b) >= 0 ? a : b;
}
