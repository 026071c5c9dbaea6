import { z } from 'zod';
import { historyOf } from '../kit/as-of.js';
import type { TableShape, ViewTransaction } from '../kit/view.js';
import { columnsOf, shapeOf, type Column } from './columns.js';
import { copyRows } from './copy.js';
import { names, parameters, textsOf, valuesOf, type Row } from './keyed-table.js';
import type { RowVersion, Versions } from './versions.js';

/** A position of an event fits: the server's are signed 64-bit numbers, whatever the protocol can say. */
const place = {
  fromCommit: z.bigint(),
  fromPrepare: z.bigint(),
  toCommit: z.bigint().optional(),
  toPrepare: z.bigint().optional(),
};

/** Every version of a table's rows, with the range of positions in which it was true; the version of now has no end. */
export class HistoryTable {
  readonly shape: TableShape;
  private readonly columns: readonly Column[];
  private readonly keyColumns: readonly Column[];
  private readonly statements = new Map<string, { name: string; text: string }>();

  constructor(table: string, row: z.ZodObject, key: readonly string[]) {
    const version = row.extend(place);
    this.shape = shapeOf(historyOf(table), version, [...key, 'fromCommit', 'fromPrepare']);
    this.columns = columnsOf(this.shape, version);
    this.keyColumns = key.map((property) => this.columns.find((column) => column.property === property)!);
  }

  /** Ends the versions that a batch replaced or removed, and adds those that it began: one statement. */
  async save(tx: ViewTransaction, versions: Versions): Promise<void> {
    if (versions.isEmpty) return;
    const endings = [...versions.endings];
    const ends = [...valuesOf(this.keyColumns, endings.map(({ key }) => key)), endings.map(({ at }) => `${at.commit}`), endings.map(({ at }) => `${at.prepare}`)];
    await tx.client.query({ ...this.statementOn(tx), values: [...ends, ...valuesOf(this.columns, versions.begun.map(rowOf))] });
  }

  /** Loads all versions into an empty table made in this transaction. */
  async copy(tx: ViewTransaction, versions: Versions): Promise<void> {
    await copyRows(tx, this.shape, this.columns.map(({ name }) => name), () => textsOf(this.columns, rowsOf(versions.begun)));
  }

  private statementOn(tx: ViewTransaction): { name: string; text: string } {
    const table = tx.table(this.shape.name);
    let statement = this.statements.get(table);
    if (!statement) this.statements.set(table, (statement = { name: `save ${table}`, text: saveStatement(table, this.columns, this.keyColumns) }));
    return statement;
  }
}

function saveStatement(table: string, columns: readonly Column[], key: readonly Column[]): string {
  const ends = `unnest(${parameters(key)}, $${key.length + 1}::bigint[], $${key.length + 2}::bigint[]) as ended(${names(key)}, at_commit, at_prepare)`;
  const sameKey = key.map(({ name }) => `held."${name}" = ended."${name}"`).join(' and ');
  return `
    with closed as (
      update "${table}" held set to_commit = at_commit, to_prepare = at_prepare from ${ends} where ${sameKey} and held.to_commit is null)
    insert into "${table}" (${names(columns)}) select * from unnest(${parameters(columns, key.length + 2)})`;
}

const rowOf = ({ row, from, to }: RowVersion): Row => ({ ...row, fromCommit: from.commit, fromPrepare: from.prepare, toCommit: to?.commit, toPrepare: to?.prepare });

function* rowsOf(versions: readonly RowVersion[]): Generator<Row> {
  for (const version of versions) yield rowOf(version);
}
