import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import type { Domain } from '../catalogue.js';
import type { Caller, CommandReply, InnerCommand, RequestContext } from '../commands/kit/command.js';
import type { Aggregates } from '../commands/kit/aggregates.js';
import type { CommandExecutor } from '../commands/kit/execute.js';
import type { RememberingCommandLog } from '../commands/kit/idempotency.js';
import type { EventStore, Position } from '../platform/eventstore/port.js';
import type { AnyQuery } from '../projections/kit/query.js';

/** Everything the wires stand on; made once in main.ts. */
export interface Core {
  readonly catalogue: readonly Domain[];
  readonly eventStore: EventStore;
  readonly pool: Pool;
  readonly dataSource: DataSource;
  readonly projections: Projections;
  /** Validates, authorises, loads, decides and appends. Throws a Refusal for every expected "no". */
  execute(command: InnerCommand, input: unknown, context: RequestContext): Promise<CommandReply>;
  /** Validates, authorises, waits for the minimum position and runs. */
  ask(query: AnyQuery, input: unknown, context: RequestContext & { readonly minPosition?: string }): Promise<unknown>;
  /** For hand-written hot paths: waits until the views have reached the caller's minimum position. */
  awaitPosition(views: readonly string[], context: RequestContext & { readonly minPosition?: string }): Promise<void>;
  /** For hand-written reads: tells the caller, in a header, which of the views have keys that stand still. */
  noteParked(views: readonly string[], context: RequestContext): Promise<void>;
  /** The folds of streams that this process keeps. */
  readonly aggregates: Aggregates;
  readonly commandLog: RememberingCommandLog;
  readonly executor: CommandExecutor;
  readonly jobs: JobOperations;
  /** The caller behind an API key; a Refusal UNAUTHENTICATED for anything else. */
  authenticate(apiKey: string | undefined): Promise<Caller>;
}

/** The background jobs as operators see them. */
export interface JobOperations {
  status(): Promise<JobsStatus>;
  /** Has a job tried again that was given up; a Refusal NOT_FOUND for an id that there is not. */
  retry(id: string, context: RequestContext): Promise<void>;
}

export interface JobsStatus {
  readonly jobs: readonly {
    readonly name: string;
    readonly summary: string;
    /** Ready to run. */
    readonly waiting: number;
    readonly active: number;
    /** Not due yet, or waiting for another try. */
    readonly delayed: number;
    /** Of the last day, and at most the last 1,000. */
    readonly completed: number;
    readonly failed: number;
    /** The cron line and its time zone. */
    readonly schedule?: string;
    readonly next?: string;
  }[];
  /** The newest that were given up. */
  readonly failed: readonly { readonly id: string; readonly job: string; readonly reason: string; readonly attempts: number; readonly failedAt: string }[];
  /** How far each reaction is, and why it stands still where it does. */
  readonly reactions: readonly { readonly name: string; readonly position: string; readonly error?: string }[];
}

/** The projection engine as the rest of the platform sees it. */
export interface Projections {
  /** Resolves when all named views hold everything up to the position; a Refusal UNAVAILABLE when they do not within the time. */
  waitFor(views: readonly string[], position: Position, options?: { timeoutMs?: number; signal?: AbortSignal }): Promise<void>;
  status(): Promise<readonly ViewStatus[]>;
  /** Builds a view anew beside the live one and switches. Queries go on meanwhile. */
  rebuild(view: string, onProgress: (progress: RebuildProgress) => void, signal?: AbortSignal): Promise<void>;
  /** Begins a rebuild that goes on without its caller, in whichever process lives. */
  startRebuild(view: string, actor: string): Promise<Operation>;
  /** The newest operations, newest first. */
  operations(): Promise<readonly Operation[]>;
  operation(id: string): Promise<Operation>;
  /** Asks an operation to end. */
  cancelOperation(id: string): Promise<Operation>;
  /** Builds a view anew beside the live one and says how their rows differ at the same position; nothing is switched. */
  compare(view: string, signal?: AbortSignal): Promise<ViewComparison>;
  /** Splits a view into so many slices, which are projected side by side. */
  split(view: string, slices: number): Promise<void>;
  /** The keys that wait because an event could not be taken, oldest first: all, or those of a view, or one. */
  parked(which?: { readonly view?: string; readonly key?: string }): Promise<readonly ParkedKey[]>;
  /** How many keys of each view are parked; views without any are not named. Known to the second. */
  parkedCounts(): Promise<ReadonlyMap<string, number>>;
  /** Tries parked events again, of one key or of all; the event with the id `skip` is left out. */
  retryParked(view: string, choice: { readonly key?: string; readonly skip?: string }, signal?: AbortSignal): Promise<RetryOutcome>;
}

/** Work that goes on by itself (AIP-151): its name, what is known of it, and how it ended. */
export interface Operation {
  readonly name: string;
  readonly done: boolean;
  readonly metadata: {
    readonly view: string;
    readonly actor: string;
    readonly state: 'running' | 'done' | 'failed' | 'cancelled';
    readonly startedAt: string;
    readonly updatedAt: string;
    readonly progress?: RebuildProgress;
  };
  readonly error?: { readonly code: string; readonly message: string };
}

/** How a view's rows differ from what the log gives now. */
export interface ViewComparison {
  readonly view: string;
  /** Where both stood. */
  readonly position: string;
  readonly same: boolean;
  readonly tables: readonly TableDifference[];
}

/** Rows that a rebuild would add, remove or change; of the changed ones, how many in each column. */
export interface TableDifference {
  readonly table: string;
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  readonly columns: Readonly<Record<string, number>>;
}

/** A key of a view that stands still while the rest of the view goes on. */
export interface ParkedKey {
  readonly view: string;
  readonly key: string;
  /** The first event that waits. */
  readonly event: { readonly id: string; readonly type: string; readonly stream: string; readonly revision: string; readonly position: string };
  /** Why it cannot be taken; absent when it only waits for an earlier event of its stream. */
  readonly error?: string;
  readonly attempts: number;
  /** How many later events wait behind it. */
  readonly waiting: number;
  readonly parkedAt: string;
}

/** What became of parked events that were tried again. */
export interface RetryOutcome {
  /** Events that wait no longer. */
  readonly taken: number;
  /** Events of the view that still wait. */
  readonly left: number;
}

export interface ViewStatus {
  readonly name: string;
  readonly version: number;
  readonly state: 'live' | 'catching-up' | 'rebuilding' | 'failing';
  /** Why it fails, where it does. */
  readonly error?: string;
  readonly position: string;
  /** Bytes of log between the view and the log's end, as positions count them. */
  readonly lagPositions: string;
  /** Age of the oldest event not yet projected, 0 when there is none. */
  readonly lagMs: number;
  /** Keys that stand still because of an event that cannot be taken. */
  readonly parkedKeys: number;
  /** Events per second over the last minute. */
  readonly eventsPerSecond: number;
  /** The parts that the view is split into by key, one where it is not. */
  readonly slices: readonly SliceStatus[];
}

export interface SliceStatus {
  readonly slice: number;
  readonly position: string;
  /** The process that projects the slice; absent for the moment in which none does. */
  readonly owner?: string;
}

export interface RebuildProgress {
  readonly events: number;
  /** Share of the log read, 0 to 1. */
  readonly done: number;
  readonly eventsPerSecond: number;
  readonly secondsLeft: number;
  readonly phase: 'reading' | 'writing' | 'indexing' | 'following' | 'switching' | 'comparing';
}
