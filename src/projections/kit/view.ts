import type { PoolClient } from 'pg';
import type { OnDifference } from '../../api/core.js';
import type { z } from 'zod';
import type { DomainEvent, EventDefinition, EventOf } from '../../domain/kit/index.js';
import type { StoredEvent } from '../../platform/eventstore/port.js';

/** A read model: tables that can be thrown away and made again from the log. */
export interface View {
  /** A noun in kebab-case, as operators see it: `feature-groups`. */
  readonly name: string;
  /** Raised by whoever changes what the rows mean; a rebuild follows. */
  readonly version: number;
  /** The tables the view owns, made by a migration. */
  readonly tables: readonly string[];
  /** The columns of its tables, where the view declares them; entities and the test of the migrations come from them. */
  readonly shapes?: readonly TableShape[];
  /** Whether its rows can be asked for as they were at a place in the log. */
  readonly keepsHistory?: boolean;
  /** The event types it wants; everything else only moves its position on. */
  readonly eventTypes: readonly string[] | 'all';
  /**
   * What an event concerns: when it cannot be taken, later events of the same key wait behind it. Throws what decoding
   * throws. Left out where the rows of one stream never depend on another's: the key is then the stream. Events of one
   * key are projected in their order; those of different keys may be projected side by side, so they share no row.
   */
  keyOf?(event: StoredEvent): string;
  /** Whether an event may have made the row of this key, given as its columns' values: asked of single rows, to find out why they differ. */
  touches?(event: StoredEvent, row: RowKey): boolean;
  /** What people are shown of a column's text where rows differ; the text itself where it is left out. */
  shows?(column: string, text: string): string;
  /** What becomes of a rebuild in an unchanged version whose rows differ from the live ones; STOP where it is left out. */
  readonly onDifference?: OnDifference;
  /** Writes what a batch means, in few set-based statements, inside the engine's transaction. */
  project(events: readonly StoredEvent[], tx: ViewTransaction): Promise<void>;
  /** Starts a rebuild that folds the log in memory and is written at the end by COPY. */
  startBuild(): ViewBuild;
}

/** A row of one of the view's tables by the values of its key's columns, as Postgres gives them. */
export interface RowKey {
  readonly table: string;
  readonly key: Readonly<Record<string, unknown>>;
}

/** What a table looks like: its columns in order, and those that make its primary key. */
export interface TableShape {
  readonly name: string;
  readonly columns: readonly ColumnShape[];
  readonly key: readonly string[];
}

/** One column, and the property of the row that it holds. */
export interface ColumnShape {
  readonly name: string;
  readonly property: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
}

export type ColumnType = 'text' | 'uuid' | 'boolean' | 'integer' | 'bigint' | 'double precision' | 'timestamptz' | 'jsonb';

/** The engine's transaction as a view sees it; `table` gives the physical name, live or shadow. */
export interface ViewTransaction {
  readonly client: PoolClient;
  table(name: string): string;
  /** Called between pieces of large writes, so that they leave room for queries. */
  rest?(): Promise<void>;
}

/** One rebuild's fold. Pure: no clock, no other I/O than `write`. */
export interface ViewBuild {
  /** Takes one event; when it throws, nothing of the event is in. */
  add(event: StoredEvent): void;
  /** A rough number of bytes held. */
  readonly heldBytes: number;
  /**
   * Writes everything folded so far. The engine calls it once, in the transaction that made the (unindexed) tables, so
   * COPY may FREEZE; at the end of the log, or earlier when memory is short. Later events come through `project`.
   */
  write(tx: ViewTransaction): Promise<void>;
}

/** What a view's handler knows about an event besides its data. */
export interface EventInfo {
  readonly stream: string;
  readonly revision: bigint;
  /** As it crosses the wires, see formatPosition. */
  readonly position: string;
  /** When the log recorded it, ISO 8601 in UTC: the only clock a view may read. */
  readonly recordedAt: string;
  readonly actor: string;
  readonly project?: string;
  /** The trace of the command that wrote it. */
  readonly traceparent?: string;
}

/** A view of one table whose rows are folds: one row a key, made by pure handlers. `defineView` in projections/engine turns it into a View. */
export interface KeyedView<Definitions extends readonly EventDefinition[], Row extends z.ZodObject, Key extends keyof z.output<Row> & string> {
  readonly name: string;
  readonly version: number;
  /** See View. */
  readonly onDifference?: OnDifference;
  readonly table: string;
  /** Columns, in snake_case in the table; dates are ISO strings. */
  readonly row: Row;
  readonly key: readonly Key[];
  /** Keeps every version of a row, in the table `<table>_history`, for queries that take `asOf`. */
  readonly history?: boolean;
  readonly events: Definitions;
  /** The key of the row that an event touches. */
  readonly keyOf: (event: EventOf<Definitions[number]>, info: EventInfo) => Pick<z.output<Row>, Key>;
  /** The row after the event; undefined removes it. Events without a handler are ignored. */
  readonly on: {
    readonly [Type in EventOf<Definitions[number]>['type']]?: (
      row: z.output<Row> | undefined,
      data: Extract<EventOf<Definitions[number]>, DomainEvent<Type>>['data'],
      info: EventInfo,
    ) => z.output<Row> | undefined;
  };
}
