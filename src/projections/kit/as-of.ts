import { z } from 'zod';
import { parsePosition } from '../../platform/eventstore/port.js';
import { placeOf, placeWords } from './place.js';

/**
 * The field of every query of a view that keeps its history: a moment, for the answer as it was then. Callers write a
 * position or a time; by the time a query runs it is a position.
 */
export const asOfInput = {
  asOf: z.string().max(64).refine((text) => placeOf(text) !== undefined, placeWords).optional().describe('A position of the log, or a time such as 2026-01-31T12:00:00Z: the answer as it was then.'),
};

/** The table with all versions of a table's rows. */
export const historyOf = (table: string): string => `${table}_history`;

/** A view's table for the from clause of a query: as it is, or as it was at a position. */
export function rowsAt(table: string, asOf: string | undefined): string {
  if (asOf === undefined) return table;
  const { commit, prepare } = parsePosition(asOf);
  const begun = `(from_commit, from_prepare) <= (${commit}, ${prepare})`;
  const notEnded = `(to_commit is null or (to_commit, to_prepare) > (${commit}, ${prepare}))`;
  return `(select * from ${historyOf(table)} where ${begun} and ${notEnded}) as ${table}`;
}
