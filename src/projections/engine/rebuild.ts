import { randomUUID } from 'node:crypto';
import pg, { type PoolClient } from 'pg';
import type { RebuildProgress, TableDifference, ViewComparison } from '../../api/core.js';
import { comparePositions, formatPosition, startOfLog, type LogFilter, type Position, type StoredEvent } from '../../platform/eventstore/port.js';
import type { View, ViewTransaction } from '../kit/view.js';
import { lockCheckpoint, putCheckpoint, readCheckpoints } from './checkpoints.js';
import { compareWithShadow } from './compare.js';
import { CheckpointMoved } from './failures.js';
import { ParkingBuild } from './parking/build.js';
import { Shelf } from './parking/shelf.js';
import { readSkipped } from './parking/skipped.js';
import { takeOrPark, type Target } from './parking/take.js';
import { addInTurns } from './fold.js';
import { pause } from './pause.js';
import { ProgressReport } from './progress.js';
import { asOnlyRebuild } from './rebuild-lock.js';
import { createShadows, dropShadows, indexShadows, shadowName, switchTables } from './shadow.js';
import { isIn } from './together.js';
import { inTransaction, withClient } from './transaction.js';
import type { World } from './world.js';

/** Beyond this the fold is written, and the rest of the log goes through the tables. */
const memoryLimit_bytes = 768 * 1024 * 1024;
const eventsPerTransaction = 2000;
/** How long the switch waits for queries on the old tables before it lets others pass and tries again. */
const switchPatience = '1s';

/** Makes a view's tables anew from the log beside the live ones, and puts them in their place. Queries go on meanwhile. */
export async function rebuild(view: View, world: World, tell: (progress: RebuildProgress) => void, signal: AbortSignal): Promise<void> {
  const end = await world.eventStore.endOfLog();
  await withClient(world.pool, (client) =>
    asOnlyRebuild(client, view, () => new Rebuild(view, world, client, new ProgressReport(end, tell), signal).run()),
  );
}

/** Makes a view's tables anew beside the live ones, compares both at one position, and throws the new ones away. */
export async function compareRebuilt(view: View, world: World, signal: AbortSignal): Promise<ViewComparison> {
  const end = await world.eventStore.endOfLog();
  return withClient(world.pool, (client) =>
    asOnlyRebuild(client, view, () => new Rebuild(view, world, client, new ProgressReport(end, () => undefined), signal).compare()),
  );
}

class Rebuild {
  private readonly id = randomUUID();
  private readonly types: ReadonlySet<string> | undefined;
  private readonly filter: LogFilter | undefined;
  private readonly shadow: ViewTransaction;
  private readonly shelf: Shelf;
  /** Events go here once the fold is written. */
  private target: Target;
  /** Everything up to here is in the shadow. */
  private position = startOfLog;

  constructor(
    private readonly view: View,
    private readonly world: World,
    private readonly client: PoolClient,
    private readonly progress: ProgressReport,
    private readonly signal: AbortSignal,
  ) {
    if (view.eventTypes !== 'all') {
      this.types = new Set(view.eventTypes);
      this.filter = { eventTypePrefixes: view.eventTypes };
    }
    this.shadow = { client, table: shadowName };
    this.shelf = new Shelf(view, true);
    this.target = { view, tx: this.shadow, shelf: this.shelf, parked: new Set() };
  }

  async run(): Promise<void> {
    const { client, view, progress } = this;
    await this.build();
    progress.enter('switching');
    while (!(await this.trySwitch())) {
      await pause(200, this.signal);
      await this.follow();
    }
    await dropShadows(client, view.tables);
  }

  async compare(): Promise<ViewComparison> {
    await this.build();
    this.progress.enter('comparing');
    for (;;) {
      const compared = await this.tryCompare();
      if (compared) return compared;
      await pause(100, this.signal);
      this.signal.throwIfAborted();
    }
  }

  /** Makes the shadow and brings it to the end of the log. */
  private async build(): Promise<void> {
    const { client, view, id, progress } = this;
    await client.query('insert into projection_builds (view, build, version) values ($1, $2, $3)', [view.name, id, view.version]);
    await this.fill();
    progress.enter('following');
    while ((await this.follow()) > eventsPerTransaction);
  }

  /** One snapshot has the live rows and their checkpoint, so nobody need stand still. Undefined while the live view is behind the shadow. */
  private async tryCompare(): Promise<ViewComparison | undefined> {
    const { client, view } = this;
    return inTransaction(client, async () => {
      await client.query('set transaction isolation level repeatable read');
      const live = (await readCheckpoints(client)).get(view.name);
      if (!live || comparePositions(live.position, this.position) < 0) return undefined;
      await this.projectUpTo(live.furthest, (event) => isIn(view, live, event));
      const tables: TableDifference[] = [];
      for (const table of view.tables) tables.push(await compareWithShadow(client, table));
      const same = tables.every(({ added, removed, changed }) => added + removed + changed === 0);
      return { view: view.name, position: formatPosition(live.position), same, tables };
    });
  }

  /** Folds the log in memory, then makes and fills the tables in one transaction: a crash leaves nothing behind. */
  private async fill(): Promise<void> {
    const { view, client, progress } = this;
    const build = view.startBuild();
    const skipped = await readSkipped(this.world.eventStore, view);
    const parking = new ParkingBuild(view, build, skipped);
    this.target = { ...this.target, parked: parking.parked, skipped };
    progress.enter('reading');
    const left = new AbortController();
    const signal = AbortSignal.any([this.signal, left.signal]);
    try {
      for await (const batch of this.world.eventStore.subscribe({ from: startOfLog, filter: this.filter, signal })) {
        const events = this.wanted(batch.events);
        await addInTurns(parking, events);
        this.position = batch.position;
        progress.read(events.length, batch.position);
        if (batch.live || parking.heldBytes > memoryLimit_bytes) break;
      }
    } finally {
      left.abort();
    }
    this.signal.throwIfAborted();
    progress.enter('writing');
    await inTransaction(client, async () => {
      await createShadows(client, view.tables);
      await build.write(this.shadow);
      await parking.writeHeld(client, this.shelf);
      progress.enter('indexing');
      await indexShadows(client, view.tables);
      await this.move(startOfLog, this.position);
    });
  }

  /** Brings the shadow to the log's end as it stands now, and says how many events that took. */
  private async follow(): Promise<number> {
    const end = await this.world.eventStore.endOfLog();
    let events: StoredEvent[] = [];
    let total = 0;
    const apply = async (position: Position) => {
      await inTransaction(this.client, () => this.project(events, position));
      total += events.length;
      this.progress.read(events.length, position);
      events = [];
    };
    for await (const event of this.log()) {
      events.push(event);
      if (events.length >= eventsPerTransaction) await apply(event.position);
    }
    const last = events.at(-1)?.position ?? this.position;
    await apply(comparePositions(end, last) > 0 ? end : last);
    return total;
  }

  /** False when a long query keeps the old tables. The view's checkpoint is held, so the live view stands still for as long. */
  private async trySwitch(): Promise<boolean> {
    const { client, view, id } = this;
    const before = this.position;
    try {
      await inTransaction(client, async () => {
        await client.query(`set local lock_timeout = '${switchPatience}'`);
        const live = await lockCheckpoint(client, view.name);
        if (live && comparePositions(live.furthest, this.position) > 0) await this.projectUpTo(live.furthest);
        await switchTables(client, view.tables);
        await this.shelf.switch(client);
        await putCheckpoint(client, view, this.position);
        const { rowCount } = await client.query('delete from projection_builds where view = $1 and build = $2', [view.name, id]);
        if (rowCount !== 1) throw new CheckpointMoved();
      });
    } catch (error) {
      this.position = before;
      this.target = { ...this.target, parked: await this.shelf.keys(client) };
      if (error instanceof pg.DatabaseError && error.code === lockNotAvailable) return false;
      throw error;
    }
    this.world.parked.forget();
    return true;
  }

  /** Brings the shadow to a position, or as far as some of the events there. */
  private async projectUpTo(position: Position, isWanted: (event: StoredEvent) => boolean = () => true): Promise<void> {
    const events: StoredEvent[] = [];
    for await (const event of this.log()) {
      if (comparePositions(event.position, position) > 0) break;
      if (isWanted(event)) events.push(event);
    }
    await this.project(events, position);
  }

  private async project(events: readonly StoredEvent[], position: Position): Promise<void> {
    await this.move(this.position, position);
    if (events.length > 0) await takeOrPark(this.target, events);
    this.position = position;
  }

  /** The same compare-and-set as for live views, should another process believe that it has this rebuild. */
  private async move(from: Position, to: Position): Promise<void> {
    const { rowCount } = await this.client.query(
      `update projection_builds set commit_position = $5, prepare_position = $6
       where view = $1 and build = $2 and commit_position = $3 and prepare_position = $4`,
      [this.view.name, this.id, `${from.commit}`, `${from.prepare}`, `${to.commit}`, `${to.prepare}`],
    );
    if (rowCount !== 1) throw new CheckpointMoved();
  }

  private async *log(): AsyncGenerator<StoredEvent> {
    const { filter, signal, types } = this;
    for await (const event of this.world.eventStore.readLog({ from: this.position, filter, signal })) {
      if (types?.has(event.type) ?? true) yield event;
    }
  }

  private wanted(events: readonly StoredEvent[]): readonly StoredEvent[] {
    const { types } = this;
    return types ? events.filter(({ type }) => types.has(type)) : events;
  }
}

const lockNotAvailable = '55P03';
