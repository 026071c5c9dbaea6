import type { ClientBase } from 'pg';
import { asViolation } from './violations.js';

/** Tables that are filled beside the live ones and then take their names. */
export const shadowName = (table: string): string => `${table}__shadow`;
/** What the live tables are called once others have taken their place. */
export const formerName = (table: string): string => `${table}__former`;

/** Makes empty tables like the live ones, without indexes. */
export async function createShadows(client: ClientBase, tables: readonly string[]): Promise<void> {
  await dropTables(client, tables, shadowName);
  for (const table of tables) {
    const { rows } = await client.query(`select array_to_string(reloptions, ', ') as options from pg_class where oid = $1::regclass`, [quoted(table)]);
    const options = rows[0].options ? ` with (${rows[0].options})` : '';
    await client.query(`create table ${quoted(shadowName(table))} (like ${quoted(table)} including all excluding indexes)${options}`);
  }
}

/** Removes the shadows or the former tables, where there are any. */
export async function dropTables(client: ClientBase, tables: readonly string[], nameOf: typeof shadowName): Promise<void> {
  await client.query(`drop table if exists ${tables.map((table) => quoted(nameOf(table))).join(', ')}`);
}

interface Index {
  readonly name: string;
  readonly unique: boolean;
  /** What follows the table's name in its definition. */
  readonly rest: string;
  readonly constraint: 'primary key' | 'unique' | null;
}

const indexesOf = `
  select index.relname as name, i.indisunique as unique,
         substring(pg_get_indexdef(i.indexrelid) from ' USING .*$') as rest,
         case c.contype when 'p' then 'primary key' when 'u' then 'unique' end as constraint
  from pg_index i
  join pg_class index on index.oid = i.indexrelid
  left join pg_constraint c on c.conindid = i.indexrelid and c.contype in ('p', 'u', 'x')
  where i.indrelid = $1::regclass
  order by index.relname`;

/** Gives the filled tables the indexes and keys of the live ones, and statistics, so that the first query plans well. */
export async function indexShadows(client: ClientBase, tables: readonly string[]): Promise<void> {
  // One processor at most: the others are left to those who ask.
  await client.query('set local max_parallel_maintenance_workers = 0');
  for (const table of tables) {
    const shadow = quoted(shadowName(table));
    for (const [order, { unique, rest, constraint }] of (await readIndexes(client, table)).entries()) {
      const name = quoted(indexName(shadowName(table), order));
      await client.query(`create ${unique ? 'unique ' : ''}index ${name} on ${shadow}${rest}`).catch((error: unknown) => Promise.reject(asViolation(error, table)));
      if (constraint) await client.query(`alter table ${shadow} add constraint ${name} ${constraint} using index ${name}`);
    }
    await client.query(`analyze ${shadow}`);
  }
}

/** Puts the shadows in the place of the live tables, under all of their names. Waits for queries under way, which read the old ones. */
export async function switchTables(client: ClientBase, tables: readonly string[]): Promise<void> {
  await client.query(`lock table ${tables.map(quoted).join(', ')} in access exclusive mode`);
  for (const table of tables) {
    const indexes = await readIndexes(client, table);
    for (const [order, { name }] of indexes.entries()) await rename(client, 'index', name, indexName(formerName(table), order));
    await rename(client, 'table', table, formerName(table));
    await rename(client, 'table', shadowName(table), table);
    for (const [order, { name }] of indexes.entries()) await rename(client, 'index', indexName(shadowName(table), order), name);
  }
}

/** Calls the former tables shadows, or the other way round; their indexes stay in the order that they had when they were live. */
export async function renameTables(client: ClientBase, tables: readonly string[], from: typeof shadowName, to: typeof shadowName): Promise<void> {
  for (const table of tables) {
    const indexes = await readIndexes(client, from(table));
    for (const order of indexes.keys()) await rename(client, 'index', indexName(from(table), order), indexName(to(table), order));
    await rename(client, 'table', from(table), to(table));
  }
}

const shapeOf = `
  select (select array_agg(attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull order by attname)
          from pg_attribute where attrelid = to_regclass($1) and attnum > 0 and not attisdropped)::text as columns,
         (select array_agg(definition order by definition) from (
            select indisunique || substring(pg_get_indexdef(indexrelid) from ' USING .*$') as definition from pg_index where indrelid = to_regclass($1)) found)::text as indexes`;

/** Whether the other tables are all there, with the columns and indexes of the live ones: a migration may have changed these since. */
export async function sameShape(client: ClientBase, tables: readonly string[], other: typeof shadowName): Promise<boolean> {
  for (const table of tables) {
    const [live, beside] = [await client.query(shapeOf, [quoted(table)]), await client.query(shapeOf, [quoted(other(table))])];
    const [{ columns, indexes }] = live.rows;
    if (columns !== beside.rows[0].columns || indexes !== beside.rows[0].indexes) return false;
  }
  return true;
}

async function readIndexes(client: ClientBase, table: string): Promise<Index[]> {
  return (await client.query<Index>(indexesOf, [quoted(table)])).rows;
}

async function rename(client: ClientBase, kind: 'table' | 'index', from: string, to: string): Promise<void> {
  await client.query(`alter ${kind} ${quoted(from)} rename to ${quoted(to)}`);
}

const indexName = (table: string, order: number): string => `${table}_${order}`;
const quoted = (name: string): string => `"${name}"`;
