import type { Position } from './position.js';

export { comparePositions, formatPosition, parsePosition, PositionError, startOfLog, type Position } from './position.js';

/**
 * An event as it stands in the log. `data` and `metadata` are parsed when first looked at: name the properties
 * to copy an event, a spread would miss them.
 */
export interface StoredEvent {
  readonly id: string;
  readonly stream: string;
  readonly revision: bigint;
  readonly position: Position;
  readonly type: string;
  /** The JSON value; a Uint8Array where the event is not JSON. */
  readonly data: unknown;
  readonly metadata: Record<string, unknown>;
  /** The version of the data's schema by the metadata, 1 where these name none; where it is not there, ask the metadata. */
  readonly schemaVersion?: number;
  /** When the log recorded it first; a move to another server does not change it. */
  readonly recordedAt: Date;
  /** The bytes that `data` is parsed from, for readers with a decoder of their own. */
  readonly rawData?: Uint8Array;
  /** How many those are. */
  readonly dataSize?: number;
}

/** An event to be written. `id` is a UUID; data and metadata are JSON. */
export interface NewEvent {
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
  readonly metadata: Record<string, unknown>;
}

/** What a writer takes for granted about a stream: anything, that it has no events, that it has some, or its last revision. */
export type ExpectedRevision = 'any' | 'none' | 'exists' | bigint;

/** Where a write ended: the revision of its last event in the stream, and that event's place in the log. */
export interface AppendResult {
  readonly revision: bigint;
  readonly position: Position;
}

/** `deadlineMs` is the longest the caller waits for an answer. */
export interface CallOptions {
  readonly deadlineMs?: number;
}

/** Write options; the default deadline is 10 s. */
export interface AppendOptions extends CallOptions {
  readonly expected: ExpectedRevision;
}

/** Deletes what is expected to be there: nothing in particular, no events, or a last revision. */
export interface DeleteOptions extends CallOptions {
  readonly expected?: 'any' | 'none' | bigint;
}

/** The way a read goes. */
export type Direction = 'forwards' | 'backwards';

/**
 * How a read is done. `deadlineMs` (default 10 s) is the longest silence of the server, healing of a
 * broken connection included; it starts again with every answer, so a long read may take as long as it likes.
 */
export interface ReadOptions extends CallOptions {
  readonly direction?: Direction;
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

/** `from` is the first revision read. */
export interface StreamReadOptions extends ReadOptions {
  readonly from?: bigint | 'start' | 'end';
}

/** `from` is exclusive; system events (type or stream in `$`) are left out unless `system` is set. */
export interface LogReadOptions extends ReadOptions {
  readonly from?: Position | 'start' | 'end';
  readonly filter?: LogFilter;
  readonly system?: boolean;
}

/** Which events of the log are wanted: any whose stream, or type, begins with one of the prefixes. */
export type LogFilter = { readonly streamPrefixes: readonly string[] } | { readonly eventTypePrefixes: readonly string[] };

/**
 * How the log is followed. `maxBuffer` (default 4096) bounds the events of one batch and those waiting for the next.
 * `onDemand` lets none wait: reading ahead would be work in the rest of a reader that rests between batches.
 */
export interface SubscribeOptions {
  readonly from: Position;
  readonly filter?: LogFilter;
  readonly signal: AbortSignal;
  readonly maxBuffer?: number;
  readonly onDemand?: boolean;
}

/** What a subscription has gathered since the last batch; `events` may be empty when only the position moved. */
export interface Batch {
  readonly events: readonly StoredEvent[];
  /** Everything wanted up to here has been delivered; resume from it. */
  readonly position: Position;
  /** Nothing wanted was waiting behind this batch when the server last said so. */
  readonly live: boolean;
  /** When the last event of the batch was recorded. */
  readonly latestRecordedAt?: Date;
}

/** Who may do what with a stream, and how much of it is kept. Other keys are the owner's own. */
export interface StreamMetadata {
  readonly maxCount?: number;
  /** Seconds. */
  readonly maxAge?: number;
  readonly truncateBefore?: number;
  readonly cacheControl?: number;
  /** Roles by right, or the name of one of the server's default lists. */
  readonly acl?: string | StreamAcl;
  readonly [key: string]: unknown;
}

/** The roles that may do a thing with a stream: one, or several. */
export interface StreamAcl {
  readonly readRoles?: string | readonly string[];
  readonly writeRoles?: string | readonly string[];
  readonly deleteRoles?: string | readonly string[];
  readonly metaReadRoles?: string | readonly string[];
  readonly metaWriteRoles?: string | readonly string[];
}

/** TARL's only way to EventStoreDB. Every failure is one of the classes in errors.ts. */
export interface EventStore {
  /** Writes all events or none. */
  append(stream: string, events: readonly NewEvent[], options: AppendOptions): Promise<AppendResult>;

  /** An absent or deleted stream has no events; a tombstoned one throws StreamDeleted. */
  readStream(stream: string, options?: StreamReadOptions): AsyncIterable<StoredEvent>;

  /** Reads the log as it stands; ends at its end (forwards) or at its beginning (backwards). */
  readLog(options?: LogReadOptions): AsyncIterable<StoredEvent>;

  /** Follows the log for ever, healing by itself; ends when the signal aborts. Never system events. */
  subscribe(options: SubscribeOptions): AsyncIterable<Batch>;

  /** The position of the last event of the log, or startOfLog. */
  endOfLog(options?: CallOptions): Promise<Position>;

  /** The stream's metadata, empty where none was set. */
  streamMetadata(stream: string, options?: CallOptions): Promise<StreamMetadata>;

  /** Replaces the stream's metadata. */
  setStreamMetadata(stream: string, metadata: StreamMetadata, options?: Partial<AppendOptions>): Promise<AppendResult>;

  /** Hides the stream's events; the stream may be written again and goes on counting. */
  deleteStream(stream: string, options?: DeleteOptions): Promise<void>;

  /** Ends the stream for good. */
  tombstoneStream(stream: string, options?: DeleteOptions): Promise<void>;

  /** Resolves when the store answers a read; throws what keeps it from answering. */
  health(options?: CallOptions): Promise<void>;

  /** Ends every call and connection; pending calls fail with EventStoreUnavailable. */
  close(): Promise<void>;
}
