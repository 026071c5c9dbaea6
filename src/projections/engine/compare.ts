import type { ClientBase } from 'pg';
import type { TableDifference } from '../../api/core.js';
import { shadowName } from './shadow.js';

const columnsOf = `
  select a.attname as name, coalesce(a.attnum = any(i.indkey), false) as key
  from pg_attribute a left join pg_index i on i.indrelid = a.attrelid and i.indisprimary
  where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum`;

/** How the rows of a shadow differ from those of the live table, by their keys, as this transaction sees both. */
export async function compareWithShadow(client: ClientBase, table: string): Promise<TableDifference> {
  const { rows: columns } = await client.query<{ name: string; key: boolean }>(columnsOf, [`"${table}"`]);
  const key = columns.filter((column) => column.key).map(({ name }) => `"${name}"`);
  const rest = columns.filter((column) => !column.key).map(({ name }) => name);
  const differs = rest.map((name) => `live."${name}" is distinct from shadow."${name}"`);
  const inBoth = `live.${key[0]} is not null and shadow.${key[0]} is not null`;
  const counts = [
    `count(*) filter (where live.${key[0]} is null) as added`,
    `count(*) filter (where shadow.${key[0]} is null) as removed`,
    `count(*) filter (where ${inBoth} and (${differs.join(' or ') || 'false'})) as changed`,
    ...differs.map((condition, index) => `count(*) filter (where ${inBoth} and ${condition}) as column_${index}`),
  ];
  const { rows } = await client.query(`select ${counts.join(', ')} from "${table}" live full join "${shadowName(table)}" shadow using (${key.join(', ')})`);
  const [found] = rows;
  const changedColumns = rest.map((name, index) => [name, Number(found[`column_${index}`])] as const).filter(([, count]) => count > 0);
  return { table, added: Number(found.added), removed: Number(found.removed), changed: Number(found.changed), columns: Object.fromEntries(changedColumns) };
}
