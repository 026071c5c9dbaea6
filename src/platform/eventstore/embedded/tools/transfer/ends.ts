import type { Position } from '../../../position.js';
import type { LoggedEvent } from './logged-event.js';

/** Where a log is read from. */
export interface Source {
  /** The position of its last event. */
  end(): Promise<Position>;
  /** Its events behind a position, some at a time, in the order of the log. */
  events(after: Position): AsyncIterable<readonly LoggedEvent[]>;
  close(): Promise<void>;
}

/** Where a log is written to. Appends are sent in the order in which they are asked for, without waiting for each other. */
export interface Target {
  /** The stream's last revision; -1 when it has none. */
  lastRevision(stream: string): Promise<bigint>;
  /** Appends behind this revision (-1: the stream is not there) and resolves with the last new one. Repeated, it answers as the first time. */
  append(stream: string, after: bigint | 'any', events: readonly LoggedEvent[]): Promise<bigint>;
  /** Deletes the stream for good, or finds it deleted. */
  tombstone(stream: string, event: LoggedEvent): Promise<void>;
  /** Whether events keep the time at which they were created. */
  readonly keepsCreated: boolean;
  close(): Promise<void>;
}
