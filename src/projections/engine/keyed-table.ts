import type { z } from 'zod';
import type { TableShape, ViewTransaction } from '../kit/view.js';
import { arrayLiteral } from './array-literal.js';
import { canonicalTime, columnsOf, shapeOf, timesAsText, type Column } from './columns.js';
import { copyRows } from './copy.js';

export type Row = Record<string, unknown>;

/** One table of rows by key, read and written a whole batch at a time. */
export class KeyedTable {
  readonly shape: TableShape;
  private readonly columns: readonly Column[];
  private readonly keyColumns: readonly Column[];
  private readonly times: readonly Column[];
  private readonly keyProperties: readonly string[];
  private readonly statements = new Map<string, Statements>();

  constructor(name: string, row: z.ZodObject, key: readonly string[]) {
    this.shape = shapeOf(name, row, key);
    this.columns = columnsOf(this.shape, row);
    this.keyColumns = key.map((property) => this.columns.find((column) => column.property === property)!);
    this.times = this.columns.filter((column) => column.type === 'timestamptz');
    this.keyProperties = key;
  }

  /** A text that two rows share when they have the same key, and only then. */
  keyText(key: Row): string {
    const [first, ...others] = this.keyProperties;
    const value = key[first!];
    if (others.length === 0 && typeof value === 'string') return value;
    return JSON.stringify(this.keyColumns.map((column) => column.toSql(key[column.property])));
  }

  /** The keyText of a row of which Postgres gave the key's columns. */
  keyTextOf(values: Readonly<Record<string, unknown>>): string {
    return this.keyText(Object.fromEntries(this.keyColumns.map(({ name, property, fromSql }) => [property, fromSql(values[name])])));
  }

  /** The row as it would come back from the table. */
  canonical(row: Row): Row {
    for (const { property } of this.times) {
      const time = row[property];
      if (typeof time === 'string' && canonicalTime(time) !== time) row = { ...row, [property]: canonicalTime(time) };
    }
    return row;
  }

  async load(tx: ViewTransaction, keys: readonly Row[]): Promise<Row[]> {
    const { rows } = await tx.client.query({ ...this.on(tx).load, values: valuesOf(this.keyColumns, keys), rowMode: 'array', types: timesAsText });
    return rows.map((values: unknown[]) => this.rowOf(values));
  }

  async save(tx: ViewTransaction, rows: readonly Row[]): Promise<void> {
    if (rows.length > 0) await tx.client.query({ ...this.on(tx).save, values: valuesOf(this.columns, rows) });
  }

  async remove(tx: ViewTransaction, keys: readonly Row[]): Promise<void> {
    if (keys.length > 0) await tx.client.query({ ...this.on(tx).remove, values: valuesOf(this.keyColumns, keys) });
  }

  /** Loads rows into an empty table made in this transaction. */
  async copy(tx: ViewTransaction, rows: { values(): Iterable<Row> }): Promise<void> {
    const names = this.columns.map(({ name }) => name);
    await copyRows(tx, this.shape, names, () => textsOf(this.columns, rows.values()));
  }

  private rowOf(values: unknown[]): Row {
    const row: Row = {};
    for (const [index, column] of this.columns.entries()) {
      const value = column.fromSql(values[index]);
      if (value !== undefined) row[column.property] = value;
    }
    return row;
  }

  private on(tx: ViewTransaction): Statements {
    const table = tx.table(this.shape.name);
    let statements = this.statements.get(table);
    if (!statements) this.statements.set(table, (statements = statementsFor(table, this.columns, this.keyColumns)));
    return statements;
  }
}

interface Statement {
  readonly name: string;
  readonly text: string;
}
type Statements = Record<'load' | 'save' | 'remove', Statement>;

function statementsFor(table: string, columns: readonly Column[], key: readonly Column[]): Statements {
  const keyRows = `unnest(${parameters(key)}) as wanted(${names(key)})`;
  const sameKey = key.map(({ name }) => `held."${name}" = wanted."${name}"`).join(' and ');
  const rest = columns.filter((column) => !key.includes(column));
  const onConflict = rest.length === 0 ? 'nothing' : `update set ${rest.map(({ name }) => `"${name}" = excluded."${name}"`).join(', ')}`;
  const selected = columns.map(({ name }) => `held."${name}"`).join(', ');
  return {
    load: { name: `load ${table}`, text: `select ${selected} from ${keyRows} join "${table}" held on ${sameKey}` },
    save: {
      name: `save ${table}`,
      text: `insert into "${table}" (${names(columns)}) select * from unnest(${parameters(columns)}) on conflict (${names(key)}) do ${onConflict}`,
    },
    remove: { name: `drop ${table}`, text: `delete from "${table}" held using ${keyRows} where ${sameKey}` },
  };
}

/** The columns' names, for a statement. */
export const names = (columns: readonly Column[]) => columns.map(({ name }) => `"${name}"`).join(', ');
/** One array a column, as the statement's parameters behind the first `after`. */
export const parameters = (columns: readonly Column[], after = 0) => columns.map(({ type }, index) => `$${after + index + 1}::${type}[]`).join(', ');

/** One array a column, for unnest. */
export function valuesOf(columns: readonly Column[], rows: readonly Row[]): string[] {
  return columns.map((column) => arrayLiteral(rows.map((row) => column.toSql(row[column.property]))));
}

/** The rows for COPY. */
export function* textsOf(columns: readonly Column[], rows: Iterable<Row>): Generator<unknown[]> {
  for (const row of rows) yield columns.map((column) => column.toSql(row[column.property]));
}
