import type { ClientBase } from 'pg';
import type { RowDifference, TableDifference } from '../../api/core.js';
import { shadowName } from './shadow.js';
import type { RowKey, View } from '../kit/view.js';

/** So many of the rows that differ are looked at more closely, in each table. */
const rowsShown = 20;
/** Longer values are cut where they are shown. */
const longestShown = 200;

/** A row that differs, with its live values whole. */
export interface FoundDifference extends RowKey {
  /** What the live row has in the columns that differ, in the order of `columns`; null for null, undefined without a live row. */
  readonly live: readonly (string | null)[] | undefined;
  readonly columns: readonly string[];
  readonly shown: Omit<RowDifference, 'event'>;
}

type Shows = NonNullable<View['shows']>;
const asItIs: Shows = (_, text) => text;

interface Column {
  readonly name: string;
  readonly key: boolean;
}

const columnsOf = `
  select a.attname as name, coalesce(a.attnum = any(i.indkey), false) as key
  from pg_attribute a left join pg_index i on i.indrelid = a.attrelid and i.indisprimary
  where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum`;

/** How the rows of a shadow differ from those of the live table, by their keys, as this transaction sees both. */
export async function compareWithShadow(client: ClientBase, table: string, shows: Shows = asItIs): Promise<{ readonly table: TableDifference; readonly rows: readonly FoundDifference[] }> {
  const { rows: columns } = await client.query<Column>(columnsOf, [`"${table}"`]);
  const found = await countDifferences(client, table, columns);
  const differ = found.added + found.removed + found.changed > 0;
  return { table: found, rows: differ ? await readDifferences(client, table, columns, shows) : [] };
}

async function countDifferences(client: ClientBase, table: string, columns: readonly Column[]): Promise<TableDifference> {
  const { rest, differs, isAdded, isRemoved, inBoth } = conditionsOf(columns);
  const counts = [
    `count(*) filter (where ${isAdded}) as added`,
    `count(*) filter (where ${isRemoved}) as removed`,
    `count(*) filter (where ${inBoth} and (${differs.join(' or ') || 'false'})) as changed`,
    ...differs.map((condition, index) => `count(*) filter (where ${inBoth} and ${condition}) as column_${index}`),
  ];
  const { rows } = await client.query(`select ${counts.join(', ')} from ${bothTables(table, columns)}`);
  const [found] = rows;
  const changedColumns = rest.map((name, index) => [name, Number(found[`column_${index}`])] as const).filter(([, count]) => count > 0);
  return { table, added: Number(found.added), removed: Number(found.removed), changed: Number(found.changed), columns: Object.fromEntries(changedColumns) };
}

async function readDifferences(client: ClientBase, table: string, columns: readonly Column[], shows: Shows): Promise<FoundDifference[]> {
  const { key, rest, differs, isAdded, isRemoved } = conditionsOf(columns);
  const selected = [
    `case when ${isAdded} then 'added' when ${isRemoved} then 'removed' else 'changed' end as kind`,
    `array[${key.map((name) => `"${name}"::text`).join(', ')}] as shown_key`,
    ...key.map((name, index) => `"${name}" as key_${index}`),
    `array[${rest.map((name) => `live."${name}"::text`).join(', ')}]::text[] as live`,
    `array[${rest.map((name) => `shadow."${name}"::text`).join(', ')}]::text[] as replayed`,
    `array[${differs.join(', ')}]::boolean[] as differs`,
  ];
  const condition = [isAdded, isRemoved, ...differs].join(' or ');
  const order = key.map((name) => `"${name}"`).join(', ');
  const { rows } = await client.query(`select ${selected.join(', ')} from ${bothTables(table, columns)} where ${condition} order by ${order} limit ${rowsShown}`);
  const shown = (column: string, text: string | null) => (text === null ? undefined : cut(shows(column, text)));
  return rows.map((row) => {
    // Of a row that only one side has, everything is the difference.
    const different = rest.flatMap((name, index) => (row.kind !== 'changed' || row.differs[index] ? [{ name, live: row.live[index], replayed: row.replayed[index] }] : []));
    return {
      table,
      key: Object.fromEntries(key.map((name, index) => [name, row[`key_${index}`]])),
      columns: different.map(({ name }) => name),
      live: row.kind === 'added' ? undefined : different.map(({ live }) => live),
      shown: {
        table,
        kind: row.kind,
        key: Object.fromEntries(key.map((name, index) => [name, shown(name, row.shown_key[index])!])),
        columns: different.map(({ name, live, replayed }) => ({ name, live: shown(name, live), replayed: shown(name, replayed) })),
      },
    };
  });
}

function conditionsOf(columns: readonly Column[]) {
  const key = columns.filter((column) => column.key).map(({ name }) => name);
  const rest = columns.filter((column) => !column.key).map(({ name }) => name);
  const isAdded = `live."${key[0]}" is null`;
  const isRemoved = `shadow."${key[0]}" is null`;
  return { key, rest, isAdded, isRemoved, inBoth: `not (${isAdded}) and not (${isRemoved})`, differs: rest.map((name) => `live."${name}" is distinct from shadow."${name}"`) };
}

const bothTables = (table: string, columns: readonly Column[]): string =>
  `"${table}" live full join "${shadowName(table)}" shadow using (${columns.flatMap(({ name, key }) => (key ? [`"${name}"`] : [])).join(', ')})`;

const cut = (text: string): string => (text.length > longestShown ? `${text.slice(0, longestShown)}…` : text);
