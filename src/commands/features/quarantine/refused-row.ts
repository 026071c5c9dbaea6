import type { WriteMode } from '../../../domain/features/chunk.js';
import { formatTimeUs } from '../../../domain/features/times.js';
import { plainValues, type IncomingColumn, type IncomingRows, type RowFault } from '../incoming.js';

/** A row as JSON says it, with whatever stood in it. */
export interface GivenRow {
  readonly entity: Readonly<Record<string, unknown>>;
  readonly eventTime: unknown;
  readonly values: Readonly<Record<string, unknown>>;
}

/** A row that was refused, with all that it takes to send it again. */
export interface RefusedRow {
  readonly id: string;
  readonly project: string;
  readonly group: string;
  /** The version that the write named; the promoted one where it named none. */
  readonly version?: number;
  readonly mode: WriteMode;
  readonly row: GivenRow;
  readonly faults: readonly Omit<RowFault, 'row'>[];
  /** Where it stood, such as `Line 3` of an import. */
  readonly source: string;
}

/** Reads rows of a request as JSON says them; numbers that JSON cannot hold become texts. */
export function rowReader({ keys, features, timeUs, times }: IncomingRows): (row: number) => GivenRow {
  const [entity, values] = [keys, features].map(readerOf) as [ReturnType<typeof readerOf>, ReturnType<typeof readerOf>];
  return (row) => ({ entity: entity(row), eventTime: Number.isNaN(timeUs[row]) ? shown(times?.[row] ?? null) : timeOf(timeUs[row]!), values: values(row) });
}

function readerOf(columns: ReadonlyMap<string, IncomingColumn>): (row: number) => Record<string, unknown> {
  const plain = [...columns].map(([name, column]) => [name, plainValues(column)] as const);
  return (row) => Object.fromEntries(plain.flatMap(([name, column]) => (column[row] === undefined ? [] : [[name, shown(column[row])]])));
}

/** A time outside of what event times may be has no ISO form of ours. */
const timeOf = (timeUs: number): unknown => (Math.abs(timeUs) < 8.64e18 ? formatTimeUs(timeUs) : String(timeUs));

const shown = (value: unknown): unknown => (typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value)) ? String(value) : value);
