import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import copyStreams from 'pg-copy-streams';
import type { TableShape, ViewTransaction } from '../kit/view.js';
import { asViolation } from './violations.js';

/** Rows go out in pieces of about this many characters: enough for the network, little enough for the event loop. */
const pieceLength = 64 * 1024;
const special = /[\\\t\n\r\b\f\v]/g;
const escapes: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r', '\b': '\\b', '\f': '\\f', '\v': '\\v' };

/**
 * Loads rows into a table that this transaction made. Each row is its values' texts in the order of the columns, or null.
 * A row that a constraint of the table refuses is named by its key; to find it the rows are gone through again.
 */
export async function copyRows(tx: ViewTransaction, { name: table, key }: Pick<TableShape, 'name' | 'key'>, columns: readonly string[], rows: () => Iterable<readonly unknown[]>): Promise<void> {
  const names = columns.map((column) => `"${column}"`).join(', ');
  const target = tx.client.query(copyStreams.from(`copy "${tx.table(table)}" (${names}) from stdin with (freeze)`));
  try {
    await pipeline(Readable.from(unhurried(piecesOf(rows()), tx), { objectMode: true, highWaterMark: 2 }), target);
  } catch (error) {
    throw asViolation(error, table, (line) => {
      const row = rowAt(rows(), line);
      return row && Object.fromEntries(key.map((name) => [name, row[columns.indexOf(name)]]));
    });
  }
}

function rowAt(rows: Iterable<readonly unknown[]>, line: number): readonly unknown[] | undefined {
  let at = 0;
  for (const row of rows) if (++at === line) return row;
  return undefined;
}

async function* unhurried(pieces: Iterable<Buffer>, tx: ViewTransaction): AsyncGenerator<Buffer> {
  for (const piece of pieces) {
    yield piece;
    await tx.rest?.();
  }
}

function* piecesOf(rows: Iterable<readonly unknown[]>): Generator<Buffer> {
  let piece = '';
  for (const row of rows) {
    for (let index = 0; index < row.length; index++) piece += (index === 0 ? '' : '\t') + textOf(row[index]);
    piece += '\n';
    if (piece.length < pieceLength) continue;
    yield Buffer.from(piece);
    piece = '';
  }
  if (piece !== '') yield Buffer.from(piece);
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '\\N';
  return String(value).replace(special, (character) => escapes[character]!);
}
