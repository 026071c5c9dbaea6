import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import type { Domain } from '../catalogue.js';
import type { AnyCommand, Caller, CommandReply, RequestContext } from '../commands/kit/command.js';
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
  execute(command: AnyCommand, input: unknown, context: RequestContext): Promise<CommandReply>;
  /** Validates, authorises, waits for the minimum position and runs. */
  ask(query: AnyQuery, input: unknown, context: RequestContext & { readonly minPosition?: string }): Promise<unknown>;
  /** For hand-written hot paths: waits until the views have reached the caller's minimum position. */
  awaitPosition(views: readonly string[], context: RequestContext & { readonly minPosition?: string }): Promise<void>;
  /** The folds of streams that this process keeps. */
  readonly aggregates: Aggregates;
  readonly commandLog: RememberingCommandLog;
  readonly executor: CommandExecutor;
  /** The caller behind an API key; a Refusal UNAUTHENTICATED for anything else. */
  authenticate(apiKey: string | undefined): Promise<Caller>;
}

/** The projection engine as the rest of the platform sees it. */
export interface Projections {
  /** Resolves when all named views hold everything up to the position; a Refusal UNAVAILABLE when they do not within the time. */
  waitFor(views: readonly string[], position: Position, options?: { timeoutMs?: number; signal?: AbortSignal }): Promise<void>;
  status(): Promise<readonly ViewStatus[]>;
  /** Builds a view anew beside the live one and switches. Queries go on meanwhile. */
  rebuild(view: string, onProgress: (progress: RebuildProgress) => void, signal?: AbortSignal): Promise<void>;
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
  /** Events per second over the last minute. */
  readonly eventsPerSecond: number;
}

export interface RebuildProgress {
  readonly events: number;
  /** Share of the log read, 0 to 1. */
  readonly done: number;
  readonly eventsPerSecond: number;
  readonly secondsLeft: number;
  readonly phase: 'reading' | 'writing' | 'indexing' | 'following' | 'switching';
}
