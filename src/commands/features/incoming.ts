import type { WriteMode } from '../../domain/features/chunk.js';

/** Rows as a caller sent them, column by column, nothing checked yet. */
export interface IncomingRows {
  readonly rows: number;
  /** Entity keys by name. */
  readonly keys: ReadonlyMap<string, IncomingColumn>;
  /** Microseconds since the Unix epoch; NaN for what is no time. */
  readonly timeUs: Float64Array | readonly number[];
  /** What the caller gave for a time, where that is not said by `timeUs`. */
  readonly times?: readonly unknown[];
  /** Features by name. */
  readonly features: ReadonlyMap<string, IncomingColumn>;
}

/** One value a row, null or undefined for none; repeated strings may come as the distinct ones and each row's index. */
export type IncomingColumn = readonly unknown[] | Float64Array | { readonly of: readonly string[]; readonly at: readonly (number | null)[] };

/** One request to write. */
export interface WriteRequest {
  readonly project: string;
  readonly group: string;
  /** Which version of the group; the promoted one where none is named. */
  readonly version?: number;
  readonly mode: WriteMode;
  /** Stores the good rows although there are bad ones. */
  readonly partial: boolean;
  /** Keeps the bad rows for mending, and stores the good ones. */
  readonly quarantine?: boolean;
  /** Where each row stands in the caller's file, for the quarantine. */
  readonly sourceOf?: (row: number) => string;
  /** What a repeat is known by, where the caller sent something else than these rows. */
  readonly bodyHash?: string;
  readonly rows: IncomingRows;
}

/** What is wrong with one value of one row. */
export interface RowFault {
  readonly row: number;
  /** `eventTime`, `entity.airport` or `values.delay`. */
  readonly field: string;
  readonly description: string;
}

/** The answer to a write. */
export interface WriteReply {
  readonly commandId: string;
  /** The position of the last event; empty when no row was good. */
  readonly position: string;
  readonly rowsWritten: number;
  readonly rowsRejected: number;
  /** How many of the rejected rows are kept for mending. */
  readonly rowsQuarantined: number;
  readonly faults: readonly RowFault[];
}

/** The plain values of a column, whichever way it came. */
export function plainValues(column: IncomingColumn): readonly unknown[] | Float64Array {
  return 'of' in column ? column.at.map((index) => (index === null ? null : column.of[index])) : column;
}
