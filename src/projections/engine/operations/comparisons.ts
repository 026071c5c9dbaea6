import type { Connections } from '../connections.js';

/** What the last comparison of a view with the log has found. */
export interface LastComparison {
  readonly comparedAt: string;
  readonly differingRows: number;
}

/** Of a rebuild that has switched none differ any more. */
const selectLast = `
  select view, "comparedAt", case when kind = 'rebuild' and state = 'done' then 0 else
    (select coalesce(sum((t->>'added')::int8 + (t->>'removed')::int8 + (t->>'changed')::int8), 0) from jsonb_array_elements(comparison->'tables') t)
    end::float8 as "differingRows"
  from (
    select distinct on (view) view, kind, state, comparison, updated_at as "comparedAt" from operations
    where comparison is not null order by view, updated_at desc
  ) last`;

/** The last comparison of each view that was ever compared. */
export async function readComparisons(pool: Connections): Promise<Map<string, LastComparison>> {
  const { rows } = await pool.query(selectLast);
  return new Map(rows.map(({ view, comparedAt, differingRows }) => [view, { comparedAt: comparedAt.toISOString(), differingRows }]));
}
