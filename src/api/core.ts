import type { Queue } from 'bullmq';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { DataSource } from 'typeorm';
import type { Domain } from '../catalogue.js';
import type { AnyAction } from '../commands/kit/action.js';
import type { Caller, CommandReply, InnerCommand, RequestContext } from '../commands/kit/command.js';
import type { Aggregates } from '../commands/kit/aggregates.js';
import type { Quarantine } from '../commands/features/quarantine/quarantine.js';
import type { CommandExecutor } from '../commands/kit/execute.js';
import type { RememberingCommandLog } from '../commands/kit/idempotency.js';
import type { Contents } from '../platform/contents.js';
import type { QueueCounts } from '../platform/telemetry/job-metrics.js';
import type { EventStore, Position } from '../platform/eventstore/port.js';
import type { z } from 'zod';
import type { onDifference, operation, parkedKey, rebuildProgress, retryOutcome, viewComparison, viewStatus } from '../projections/engine/answers.js';
import type { AnyQuery } from '../projections/kit/query.js';

/** Everything the wires stand on; made once in main.ts. */
export interface Core {
  readonly catalogue: readonly Domain[];
  readonly eventStore: EventStore;
  /** For reads alone: a statement whose connection has died is sent again. */
  readonly pool: Pool;
  /** The rows of saved training sets. */
  readonly trainingSets: Contents;
  readonly dataSource: DataSource;
  readonly projections: Projections;
  /** Validates, authorises, loads, decides and appends. Throws a Refusal for every expected "no". */
  execute(command: InnerCommand, input: unknown, context: RequestContext): Promise<CommandReply>;
  /** Validates, authorises and runs what an operator asks of the platform itself. */
  act(action: AnyAction, input: unknown, context: RequestContext): Promise<unknown>;
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
  /** The refused rows that wait to be mended. */
  readonly quarantine: Quarantine;
  readonly jobs: JobOperations;
  /** For what went wrong and heals by itself, so that no caller hears of it. */
  readonly log: Pick<Logger, 'warn'>;
  /** The caller behind an API key, at once where the key is known; a Refusal UNAUTHENTICATED for anything else. */
  authenticate(apiKey: string | undefined): Caller | Promise<Caller>;
}

/** The background jobs as operators see them. */
export interface JobOperations {
  status(): Promise<JobsStatus>;
  /** What stands in each queue; nothing where this process has not looked into them yet, which takes reading BullMQ. */
  counts(): Promise<readonly QueueCounts[]>;
  /** Has a job tried again that was given up; a Refusal NOT_FOUND for an id that there is not. */
  retry(id: string, context: RequestContext): Promise<void>;
  /** The queues themselves, for the dashboard that shows them. */
  openQueues(): Promise<readonly Queue[]>;
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
    /** Of the last day, and at most about the last 1,000. */
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
  /** Resolves when all named views hold everything up to the position; a Refusal UNAVAILABLE when they do not within the time, and OUT_OF_RANGE when the log ends before it. */
  waitFor(views: readonly string[], position: Position, options?: { timeoutMs?: number; signal?: AbortSignal }): Promise<void>;
  status(): Promise<readonly ViewStatus[]>;
  /** Builds a view anew beside the live one and switches. Queries go on meanwhile. */
  rebuild(view: string, onProgress: (progress: RebuildProgress) => void, signal?: AbortSignal, onDifference?: OnDifference): Promise<void>;
  /** Begins work on a view that goes on without its caller, in whichever process lives. */
  begin(work: NewOperation): Promise<Operation>;
  /** The newest operations, newest first. */
  operations(): Promise<readonly Operation[]>;
  operation(id: string): Promise<Operation>;
  /** Asks an operation to stand still, to go on, or to end; what has ended stays as it is. */
  steer(id: string, wish: 'pause' | 'resume' | 'cancel'): Promise<Operation>;
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

/** Work on a view that somebody asks for. */
export interface NewOperation {
  readonly kind: 'rebuild' | 'comparison' | 'rollback';
  readonly view: string;
  readonly actor: string;
  /** Of a rebuild: what becomes of it when the rows differ; the view's own policy, or that of rebuilds, where it is left out. */
  readonly onDifference?: OnDifference;
}

/** SWITCH puts other rows in the place of the live ones, STOP leaves the live ones and says how they differ. */
export type OnDifference = z.output<typeof onDifference>;
export type Operation = Readonly<z.output<typeof operation>>;
export type ViewComparison = Readonly<z.output<typeof viewComparison>>;
export type TableDifference = ViewComparison['tables'][number];
export type RowDifference = ViewComparison['rows'][number];
export type RebuildProgress = Readonly<z.output<typeof rebuildProgress>>;
export type ParkedKey = Readonly<z.output<typeof parkedKey>>;
export type RetryOutcome = Readonly<z.output<typeof retryOutcome>>;

export type ViewStatus = Readonly<z.output<typeof viewStatus>>;
