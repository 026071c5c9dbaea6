import { randomUUID } from 'node:crypto';
import type { PoolClient } from 'pg';
import { comparePositions, startOfLog, type LogFilter, type Position, type StoredEvent } from '../../platform/eventstore/port.js';
import type { SkippedEvents } from '../../domain/projections/state.js';
import type { View, ViewTransaction } from '../kit/view.js';
import { addInTurns } from './fold.js';
import { ParkingBuild } from './parking/build.js';
import { ParkedKeys } from './parking/keys.js';
import { Shelf } from './parking/shelf.js';
import { readSkipped } from './parking/skipped.js';
import { takeOrPark, type Target } from './parking/take.js';
import { TakingUp } from './parking/taking-up.js';
import { heldOf } from './parking/waiting.js';
import { clearBuild } from './rebuild-lock.js';
import { Pace } from './rebuild-pace.js';
import { beginRecord, canGoOn, endRecord, findRecord, moveRecord, takeUpFormer, type Source } from './rebuild-record.js';
import type { Course } from './rebuild-course.js';
import { createShadows, indexShadows, shadowName } from './shadow.js';
import { inTransaction } from './transaction.js';
import type { World } from './world.js';

const eventsPerTransaction = 2000;
/** So many events of the log are read in one go, in which the process answers nobody. */
const eventsPerBatch = 256;

/** The tables beside the live ones, and how far they hold the log. Everything that changes them moves the record of the build too. */
export class Shadow {
  readonly shelf: Shelf;
  private id = randomUUID() as string;
  private readonly types: ReadonlySet<string> | undefined;
  private readonly filter: LogFilter | undefined;
  private readonly pace: Pace;
  private target: Target;
  private held = startOfLog;

  constructor(
    private readonly view: View,
    private readonly world: World,
    private readonly client: PoolClient,
    private readonly course: Course,
  ) {
    if (view.eventTypes !== 'all') {
      this.types = new Set(view.eventTypes);
      this.filter = { eventTypePrefixes: view.eventTypes };
    }
    this.pace = new Pace(world.limits.traffic, world.limits.share, course.signal);
    this.shelf = new Shelf(view, 'shadow');
    const tx: ViewTransaction = { client, table: shadowName, rest: () => this.pace.rest() };
    this.target = { view, tx, shelf: this.shelf, parked: new ParkedKeys() };
  }

  /** Everything up to here is in the shadow. */
  get position(): Position {
    return this.held;
  }

  /** Brings the shadow to the end of the log: from where an interrupted rebuild left it, from former tables, or from the log's start. */
  async build(source: Source): Promise<void> {
    const { client, view, world } = this;
    const record = await findRecord(client, view);
    await this.readSkipped();
    if (record && (await canGoOn(client, view, record, source))) this.goOnFrom(record.build, record.position);
    else {
      await clearBuild(client, view);
      if (source === 'former') await this.takeUp();
      else await this.fill();
    }
    this.target = { ...this.target, parked: await this.shelf.keys(client) };
    this.course.enter('following');
    while ((await this.follow()) > eventsPerTransaction);
  }

  /** Brings the shadow to the log's end as it stands now, and says how many events that took. */
  async follow(): Promise<number> {
    const end = await this.world.eventStore.endOfLog();
    await this.inTransaction(() => this.leaveOutSkipped());
    let events: StoredEvent[] = [];
    let total = 0;
    const apply = async (position: Position) => {
      await this.inTransaction(() => this.project(events, position));
      total += events.length;
      this.course.read(events.length, position);
      events = [];
      await this.breathe();
    };
    for await (const event of this.log()) {
      events.push(event);
      if (events.length >= eventsPerTransaction) await apply(event.position);
    }
    const last = events.at(-1)?.position ?? this.held;
    await apply(comparePositions(end, last) > 0 ? end : last);
    return total;
  }

  /** Runs work in a transaction; when that fails, the shadow is known to be where it was. */
  async inTransaction<Result>(work: () => Promise<Result>): Promise<Result> {
    const before = this.held;
    try {
      return await inTransaction(this.client, work);
    } catch (error) {
      this.held = before;
      // Without a connection there is nothing to ask, and nobody goes on.
      this.target = { ...this.target, parked: await this.shelf.keys(this.client).catch(() => this.target.parked) };
      throw error;
    }
  }

  /** Runs work in a transaction that leaves everything as it was. */
  async andBack<Result>(work: () => Promise<Result>): Promise<Result> {
    const back = new TakenBack<Result>();
    try {
      return await this.inTransaction(async () => {
        back.result = await work();
        throw back;
      });
    } catch (error) {
      if (error === back) return back.result!;
      throw error;
    }
  }

  /** Within a transaction: brings the shadow to a position that is not behind it, or as far as some of the events there. */
  async projectUpTo(position: Position, isWanted: (event: StoredEvent) => boolean = () => true): Promise<void> {
    const events: StoredEvent[] = [];
    for await (const event of this.log()) {
      if (comparePositions(event.position, position) > 0) break;
      if (isWanted(event)) events.push(event);
    }
    await this.project(events, position);
  }

  /** Within a transaction: goes on without events that somebody has decided meanwhile to go on without, and takes what has waited behind them. */
  async leaveOutSkipped(): Promise<void> {
    const { client, view, world, shelf } = this;
    const skipped = await this.readSkipped();
    const held = skipped.size > 0 ? await heldOf(client, shelf, skipped) : [];
    if (held.length === 0) return;
    await moveRecord(client, view, this.id, this.held, this.held);
    for (const { id, key } of held) {
      const work = new TakingUp(view, world, this.target.tx, shelf, { key, skip: id });
      while (!(await work.next()).ended);
    }
    this.target = { ...this.target, parked: await shelf.keys(client) };
  }

  /** Within the transaction that gives the tables another name: nothing is left to go on with. */
  async end(): Promise<void> {
    await endRecord(this.client, this.view, this.id);
  }

  private async readSkipped(): Promise<SkippedEvents> {
    const skipped = await readSkipped(this.world.eventStore, this.view);
    this.target = { ...this.target, skipped };
    return skipped;
  }

  private goOnFrom(build: string, position: Position): void {
    this.id = build;
    this.held = position;
  }

  /** Where they stand is asked now: whoever was interrupted may have followed the log with them, and given them back. */
  private async takeUp(): Promise<void> {
    this.held = await inTransaction(this.client, () => takeUpFormer(this.client, this.view, this.id));
  }

  /** Folds the log in memory, then makes and fills the tables in one transaction: a crash until then leaves nothing behind. */
  private async fill(): Promise<void> {
    const { view, client, course, world } = this;
    await beginRecord(client, view, this.id);
    const build = view.startBuild();
    const parking = new ParkingBuild(view, build, this.target.skipped!);
    course.enter('reading');
    const left = new AbortController();
    const signal = AbortSignal.any([course.signal, left.signal]);
    try {
      for await (const batch of world.eventStore.subscribe({ from: startOfLog, filter: this.filter, signal, maxBuffer: eventsPerBatch, onDemand: true })) {
        const events = this.wanted(batch.events);
        await addInTurns(parking, events, this.pace);
        // Behind the last event may stand events of the system, where the live view does not come until another event follows.
        this.held = events.at(-1)?.position ?? this.held;
        course.read(events.length, batch.position);
        if (batch.live || parking.heldBytes > world.limits.memory_bytes) break;
        await this.breathe();
      }
    } finally {
      left.abort();
    }
    await this.breathe();
    course.enter('writing');
    await inTransaction(client, async () => {
      await createShadows(client, view.tables);
      await build.write(this.target.tx);
      await parking.writeHeld(client, this.shelf);
      course.enter('indexing');
      await indexShadows(client, view.tables);
      await moveRecord(client, view, this.id, startOfLog, this.held);
    });
  }

  private async breathe(): Promise<void> {
    await this.course.whilePaused();
    await this.pace.rest();
    this.course.signal.throwIfAborted();
  }

  private async project(events: readonly StoredEvent[], position: Position): Promise<void> {
    await moveRecord(this.client, this.view, this.id, this.held, position);
    if (events.length > 0) await takeOrPark(this.target, events);
    this.held = position;
  }

  private async *log(): AsyncGenerator<StoredEvent> {
    const { filter, types } = this;
    for await (const event of this.world.eventStore.readLog({ from: this.held, filter, signal: this.course.signal })) {
      if (types?.has(event.type) ?? true) yield event;
    }
  }

  private wanted(events: readonly StoredEvent[]): readonly StoredEvent[] {
    const { types } = this;
    return types ? events.filter(({ type }) => types.has(type)) : events;
  }
}

class TakenBack<Result> extends Error {
  result: Result | undefined;
}
