import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import type { EntityValue } from '../../../../src/domain/features/values.js';
import type { Asked, Rules } from './reference.js';
import type { Fact } from './written.js';

/** One answer of the oracle: null columns where nothing matched. */
export interface OracleRow {
  readonly timeUs: number | null;
  readonly n: number | null;
  readonly s: string | null;
}

export async function openOracle(): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(':memory:');
  return instance.connect();
}

/**
 * The same question put to DuckDB's ASOF JOIN. It picks any of several rows of equal time, so only the latest write of
 * each (key, time) goes in; and it has no TTL, so that is applied to what it found.
 */
export async function askOracle(connection: DuckDBConnection, facts: readonly Fact[], asked: readonly Asked[], rules: Rules): Promise<OracleRow[]> {
  await fill(connection, facts, asked, rules);
  const answer = await connection.runAndReadAll(rules.knownAtRowTime ? perRow : asof, { ttl: rules.ttlUs });
  return answer.getRowObjectsJson().map((row) => ({ timeUs: number(row.t), n: number(row.n), s: row.s as string | null }));
}

const asof = `
  select case when fresh then t end as t, case when fresh then n end as n, case when fresh then s end as s
  from (
    select q.i, h.*, $ttl = 0 or h.t >= q.t - $ttl as fresh
    from asked q asof left join (select distinct on (k1, k2, t) * from history order by k1, k2, t, written desc) h
      on q.k1 = h.k1 and q.k2 = h.k2 and q.t >= h.t
  ) order by i`;

const perRow = `
  with qualified as (
    select q.i, h.t, h.n, h.s, row_number() over (partition by q.i order by h.t desc, h.written desc) as place
    from asked q join history h
      on q.k1 = h.k1 and q.k2 = h.k2 and q.t >= h.t and q.t >= h.recorded and ($ttl = 0 or h.t >= q.t - $ttl)
    where not exists (from deleted d where d.known = 1 and d.k1 = h.k1 and d.k2 = h.k2 and d.written > h.written and d.recorded <= q.t)
  )
  select best.t, n, s from asked left join (from qualified where place = 1) best using (i) order by i`;

/** The tables `asked`, `history` (what is known of it) and `deleted`. */
export async function fill(connection: DuckDBConnection, facts: readonly Fact[], asked: readonly Asked[], rules: Rules): Promise<void> {
  await connection.run(`
    create or replace table asked (i bigint, k1 varchar, k2 bigint, t bigint);
    create or replace table deleted (written bigint, recorded bigint, k1 varchar, k2 bigint, known bigint);
    create or replace table history (written bigint, recorded bigint, k1 varchar, k2 bigint, t bigint, n bigint, s varchar)`);
  await append(connection, 'asked', asked.map(({ key, timeUs }, i) => [i, ...key!, timeUs]));
  const history: (EntityValue | null)[][] = [];
  const deleted: EntityValue[][] = [];
  facts.forEach((fact, at) => {
    const known = at < (rules.position ?? Infinity) && fact.recordedAtUs <= (rules.knownAtUs ?? Infinity);
    const written = history.length + deleted.length;
    if ('deleted' in fact) deleted.push(...fact.deleted.map((key) => [written, fact.recordedAtUs, ...key, known ? 1 : 0]));
    else if (known && fact.mode !== 'ONLINE') fact.rows.forEach(({ key, timeUs, values }, i) => history.push([written + i, fact.recordedAtUs, ...key, timeUs, values.n as number, values.s as string]));
  });
  await append(connection, 'history', history);
  await append(connection, 'deleted', deleted);
  // What was deleted is not told any more, whether the deletion was known at the time or not.
  await connection.run(`update history h set n = null, s = null where exists (from deleted d where d.k1 = h.k1 and d.k2 = h.k2 and d.written > h.written)`);
  if (!rules.knownAtRowTime) await connection.run(`delete from history h where exists (from deleted d where d.known = 1 and d.k1 = h.k1 and d.k2 = h.k2 and d.written > h.written)`);
}

async function append(connection: DuckDBConnection, table: string, rows: readonly (readonly (EntityValue | null)[])[]): Promise<void> {
  const appender = await connection.createAppender(table);
  const texts = new Set(['k1', 's'].map((name) => columns[table]!.indexOf(name)));
  for (const row of rows) {
    row.forEach((value, at) => {
      if (value === null) appender.appendNull();
      else if (texts.has(at)) appender.appendVarchar(value as string);
      else appender.appendBigInt(BigInt(value));
    });
    appender.endRow();
  }
  appender.closeSync();
}

const columns: Record<string, string[]> = {
  asked: ['i', 'k1', 'k2', 't'],
  deleted: ['written', 'recorded', 'k1', 'k2', 'known'],
  history: ['written', 'recorded', 'k1', 'k2', 't', 'n', 's'],
};

const number = (value: unknown): number | null => (value === null ? null : Number(value));
