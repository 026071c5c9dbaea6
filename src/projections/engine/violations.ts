import pg from 'pg';
import { Refusal } from '../../domain/kit/index.js';

/** Gives the key of the row in a line of a COPY, counted from 1. */
type KeyOfLine = (line: number) => Readonly<Record<string, unknown>> | undefined;

/**
 * What a constraint of a table says of a row that the log gives, as a refusal with the constraint and the row's key: somebody
 * has added the constraint, and can see which of the two is wrong. The other columns of the row are not shown. Any other error stays as it is.
 */
export function asViolation(error: unknown, table: string, keyOf?: KeyOfLine): unknown {
  if (!(error instanceof pg.DatabaseError) || !error.code?.startsWith('23')) return error;
  const rule = error.constraint === undefined ? `column ${error.column}, which takes no null` : `constraint ${error.constraint}`;
  const line = /, line (\d+)/.exec(error.where ?? '')?.[1];
  const key = line === undefined ? undefined : keyOf?.(Number(line));
  const row = key ? `the row ${JSON.stringify(key)}` : (error.detail ?? 'a row');
  return new Refusal('FAILED_PRECONDITION', `Table ${table} cannot be made of what the log gives, because its ${rule} refuses ${row}: nothing was switched. Drop or mend what was added to the table, and rebuild again`, {
    reason: 'ROW_VIOLATES_CONSTRAINT',
    metadata: { table, ...(error.constraint !== undefined && { constraint: error.constraint }), ...(key && { key: JSON.stringify(key) }) },
  });
}
