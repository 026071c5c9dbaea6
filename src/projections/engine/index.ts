import type { Pool } from 'pg';
import type { NewOperation, OnDifference, Operation, ParkedKey, Projections, RebuildProgress, RetryOutcome, ViewComparison, ViewStatus } from '../../api/core.js';
import { Refusal } from '../../domain/kit/index.js';
import { comparePositions, formatPosition, startOfLog, type EventStore, type Position } from '../../platform/eventstore/port.js';
import { askingAgain } from '../../platform/postgres/ask-again.js';
import type { View } from '../kit/view.js';
import { beginViews, readCheckpoints } from './checkpoints.js';
import { commandLogView } from './command-log.js';
import { cutBy, forgetIdle, patient, type Connections } from './connections.js';
import { OperationRunner } from './operations/runner.js';
import { OperationStore } from './operations/store.js';
import { becomeMember, calls, processName } from './ownership.js';
import { ParkedCounts } from './parking/counts.js';
import { listParked } from './parking/list.js';
import { retryParked } from './parking/retry.js';
import type { RetryChoice } from './parking/taking-up.js';
import { backoff_ms, pause } from './pause.js';
import { Rates } from './rates.js';
import { Reached } from './reached.js';
import { compareAll, runOperation } from './operations/work.js';
import { compareRebuilt, rebuild } from './rebuild.js';
import { clearLeftovers, removeFormers } from './rebuild-lock.js';
import { defaultLimits, Traffic, type RebuildLimits } from './rebuild-pace.js';
import { SlowViews } from './slow-views.js';
import { splitView } from './split.js';
import { readStatus } from './status.js';
import { Term } from './term.js';
import type { EngineLog, World } from './world.js';

export interface ProjectionEngineOptions {
  readonly eventStore: EventStore;
  readonly pool: Pool;
  readonly views: readonly View[];
  readonly log: EngineLog;
  /** False where other processes project: this one answers from the read models. */
  readonly projects?: boolean;
  /** How the process is called where it is said who owns what. */
  readonly name?: string;
  /** The pool that queries read from: rebuilds leave them room. */
  readonly reads?: Pool;
  readonly limits?: RebuildLimits;
  /** For so long at most may a view compute over one event; one that takes longer is parked. */
  readonly longestSilence_ms?: number;
}

/** How long a query waits for its view when it does not say. */
const defaultPatience_ms = 5000;
/** Who has waited so long may wait for a position that was never given out. */
const lookAtEnd_ms = 200;
const pollInterval_ms = 10;
/** Whoever waits calls the owners again in every so many looks. */
const looksPerCall = 50;

/** Keeps the read models: projects its share of them from the log, and answers from all of them. */
export class ProjectionEngine implements Projections {
  private readonly views: readonly View[];
  private readonly world: World;
  private readonly stopping = new AbortController();
  private readonly operationStore: OperationStore;
  private readonly runner: OperationRunner;
  private running: Promise<unknown> | undefined;
  private polling: Promise<void> | undefined;
  private readonly projects: boolean;
  private readonly pool: Pool;
  /** For what callers only ask. */
  private readonly reads: Connections;
  private readonly name: string;

  constructor({ eventStore, pool, views, log, projects = true, name = processName, reads, limits = defaultLimits, longestSilence_ms }: ProjectionEngineOptions) {
    this.projects = projects;
    this.pool = pool;
    this.reads = askingAgain(patient(pool));
    this.name = name;
    this.views = [...views, commandLogView];
    this.world = { eventStore, pool: patient(pool), log, reached: new Reached(), rates: new Rates(), parked: new ParkedCounts(this.reads), slowViews: new SlowViews(longestSilence_ms), limits: { ...limits, traffic: new Traffic(reads, pool) } };
    this.operationStore = new OperationStore(patient(pool), this.reads);
    this.runner = new OperationRunner(this.operationStore, async (operation, steering) => runOperation(operation, this.viewNamed(operation.metadata.view), this.world, steering), log, this.stopping.signal);
  }

  /** True while this process projects any view, or slice of one. */
  get isOwner(): boolean {
    return this.world.reached.ownsAny;
  }

  /** Starts to project, where it does, in the background. The tables must be there. */
  async start(): Promise<void> {
    const { pool, eventStore } = this.world;
    if (comparePositions(await eventStore.endOfLog(), startOfLog) === 0) await beginViews(pool, this.views);
    await this.readReached();
    if (this.projects) this.running = Promise.all([this.keepTerms(), this.runner.keepLooking()]);
  }

  /** Ends after the batch under way. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
    await this.polling;
  }

  async waitFor(views: readonly string[], position: Position, { timeoutMs = defaultPatience_ms, signal }: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<void> {
    for (const view of views) this.viewNamed(view);
    const { reached } = this.world;
    if (reached.owns(views) && reached.holds(views, position)) return;
    const beyond = new AbortController();
    const look = setTimeout(() => void this.refuseBeyondEnd(position).catch((refusal: unknown) => refusal instanceof Refusal && beyond.abort(refusal)), lookAtEnd_ms);
    try {
      const held = reached.wait(views, position, Math.max(0, timeoutMs), signal ? AbortSignal.any([signal, beyond.signal]) : beyond.signal);
      this.poll();
      if (await held) return;
    } finally {
      clearTimeout(look);
    }
    await this.refuseBeyondEnd(position);
    this.refuseLate(views, position);
  }

  status(): Promise<readonly ViewStatus[]> {
    return readStatus(this.views, { ...this.world, pool: this.reads });
  }

  async rebuild(view: string, onProgress: (progress: RebuildProgress) => void, signal?: AbortSignal, onDifference?: OnDifference): Promise<void> {
    await rebuild(this.viewNamed(view), this.world, onProgress, this.stopping.signal, { calledOff: signal, onDifference });
  }

  async compare(view: string, signal?: AbortSignal): Promise<ViewComparison> {
    return compareRebuilt(this.viewNamed(view), this.world, { interrupted: this.stopping.signal, calledOff: signal });
  }

  async begin(work: NewOperation): Promise<Operation> {
    this.viewNamed(work.view);
    const operation = await this.operationStore.begin(work);
    if (this.projects) await this.runner.look();
    return operation;
  }

  operations(): Promise<readonly Operation[]> {
    return this.operationStore.list();
  }

  async operation(id: string): Promise<Operation> {
    const operation = await this.operationStore.find(id);
    if (operation) return operation;
    throw new Refusal('NOT_FOUND', `There is no operation ${id}`, { reason: 'OPERATION_NOT_FOUND' });
  }

  async steer(id: string, wish: 'pause' | 'resume' | 'cancel'): Promise<Operation> {
    await this.operationStore.steer(id, wish);
    // One that stood still when its process ended has nobody to work on it.
    if (wish !== 'pause' && this.projects) await this.runner.look();
    return this.operation(id);
  }

  async parked({ view, key }: { view?: string; key?: string } = {}): Promise<readonly ParkedKey[]> {
    if (view !== undefined) this.viewNamed(view);
    return listParked(this.reads, view, key);
  }

  parkedCounts(): Promise<ReadonlyMap<string, number>> {
    return this.world.parked.read();
  }

  async retryParked(view: string, choice: RetryChoice, signal: AbortSignal = this.stopping.signal): Promise<RetryOutcome> {
    return retryParked(this.viewNamed(view), this.world, choice, signal);
  }

  async split(view: string, slices: number): Promise<void> {
    await splitView(this.viewNamed(view), slices, this.world);
  }

  /** Compares every view with what the log gives, one after the other; what is found stands in the operations. */
  compareAll(actor: string, signal: AbortSignal): Promise<void> {
    return compareAll(this.views.map(({ name }) => name), this, actor, this.world.log, signal);
  }

  /** Removes the former tables that were replaced longer ago. */
  removeFormers(olderThan_hours: number): Promise<void> {
    return removeFormers(this.views, this.world, olderThan_hours);
  }

  /** Forgets the operations that ended longer ago. */
  removeEndedOperations(olderThan_days: number): Promise<void> {
    return this.operationStore.removeEnded(olderThan_days);
  }

  /** Removes the tables that rebuilds left behind whose process died; those under way are not touched. */
  clearLeftovers(): Promise<void> {
    return clearLeftovers(this.views, this.world);
  }

  private viewNamed(name: string): View {
    const view = this.views.find((candidate) => candidate.name === name);
    if (view) return view;
    throw new Refusal('NOT_FOUND', `There is no view ${name}`, { reason: 'VIEW_NOT_FOUND' });
  }

  private async keepTerms(): Promise<void> {
    const { pool, log } = this.world;
    const { signal } = this.stopping;
    for (let failures = 0; !signal.aborted; ) {
      const ownership = await becomeMember(pool, this.name, this.views, log, () => this.world.reached.hurry(), signal);
      if (!ownership) return;
      try {
        // Once its locks are lost a process waits for nothing any more: others may have its work.
        const world: World = { ...this.world, pool: cutBy(ownership.lost, pool), whileSilent: (longest_ms, work) => ownership.whileSilent(longest_ms, work) };
        await new Term(this.views, ownership, world, AbortSignal.any([signal, ownership.lost])).run();
        if (signal.aborted) return;
        log.warn({}, 'The session with the locks of the projections has ended; this process joins again');
        await forgetIdle(this.pool);
        failures = 0;
      } catch (error) {
        log.warn({ err: error }, 'The projections stopped and are taken up again');
        await pause(backoff_ms(failures++), signal);
      } finally {
        await ownership.release();
        this.poll();
      }
    }
  }

  /** Of what other processes project only the checkpoints tell, which are looked at for as long as somebody waits. */
  private poll(): void {
    if (this.polling || !this.mustPoll) return;
    this.polling = this.pollCheckpoints().finally(() => {
      this.polling = undefined;
      // Somebody may have come to wait after the last look.
      this.poll();
    });
  }

  private get mustPoll(): boolean {
    return this.world.reached.isAwaited && !this.stopping.signal.aborted;
  }

  private async pollCheckpoints(): Promise<void> {
    for (let looks = 0; this.mustPoll; looks++) {
      try {
        // Slices may go to another process while somebody waits for them here.
        const { reached } = this.world;
        if (reached.isAwaitedFromOthers) await this.readReached();
        if (looks % looksPerCall === 0 && reached.isAwaitedFromOthers) await this.world.pool.query(`notify ${calls}`);
      } catch (error) {
        this.world.log.warn({ err: error }, 'The checkpoints cannot be read');
      }
      await pause(pollInterval_ms, this.stopping.signal);
    }
  }

  private async readReached(): Promise<void> {
    this.world.reached.replace(await readCheckpoints(this.world.pool));
  }

  private async refuseBeyondEnd(position: Position): Promise<void> {
    const end = await this.lastPosition();
    if (comparePositions(end, position) >= 0) return;
    throw new Refusal('OUT_OF_RANGE', `Position ${formatPosition(position)} lies beyond the end of the log, ${formatPosition(end)}`, { reason: 'POSITION_BEYOND_END' });
  }

  private refuseLate(views: readonly string[], position: Position): never {
    const { reached } = this.world;
    const late = views.find((view) => comparePositions(reached.of(view), position) < 0) ?? views[0]!;
    throw new Refusal('UNAVAILABLE', `View ${late} is at position ${formatPosition(reached.of(late))} and has not reached ${formatPosition(position)} yet`, {
      reason: 'VIEW_BEHIND',
      metadata: { view: late, position: formatPosition(reached.of(late)), wanted: formatPosition(position) },
    });
  }

  /** Of the server's own events too: whatever lies behind them has never been. */
  private async lastPosition(): Promise<Position> {
    const backwards = this.world.eventStore.readLog({ direction: 'backwards', from: 'end', limit: 1, system: true });
    for await (const { position } of backwards) return position;
    return startOfLog;
  }
}
