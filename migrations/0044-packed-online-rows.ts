import type { MigrationInterface, QueryRunner } from 'typeorm';
import { packRow, unpackRow } from '../src/projections/features/online/packed-row.js';

/** So many rows are written again at once. */
const pageSize = 10_000;

/** The values of `feature-online` stood in its table, its shadow and the one it replaced as JSON; they become rows that an online read takes apart faster. */
export class PackedOnlineRows implements MigrationInterface {
  readonly name = 'PackedOnlineRows1767225600044';

  up(runner: QueryRunner): Promise<void> {
    return rewrite(runner, (timeUs, values) => packRow(timeUs, JSON.parse(values)));
  }

  down(runner: QueryRunner): Promise<void> {
    return rewrite(runner, (_, packed) => JSON.stringify(unpackRow(packed)));
  }
}

async function rewrite(runner: QueryRunner, written: (timeUs: number, values: string) => string): Promise<void> {
  for (const table of ['feature_online', 'feature_online__shadow', 'feature_online__former']) {
    const [{ exists }] = await runner.query('select to_regclass($1) is not null as exists', [table]);
    if (exists) await rewriteTable(runner, table, written);
  }
}

/** A cursor sees none of what is written after it was opened. */
async function rewriteTable(runner: QueryRunner, table: string, written: (timeUs: number, values: string) => string): Promise<void> {
  await runner.query(`lock table ${table} in access exclusive mode`);
  await runner.query(`declare held no scroll cursor for select ctid, event_time_us, feature_values from ${table}`);
  for (;;) {
    const rows: { ctid: string; event_time_us: string; feature_values: string }[] = await runner.query(`fetch ${pageSize} from held`);
    if (rows.length === 0) break;
    const values = rows.map((row) => written(Number(row.event_time_us), row.feature_values));
    await runner.query(`update ${table} as row set feature_values = again.written from unnest($1::tid[], $2::text[]) as again(place, written) where row.ctid = again.place`, [rows.map(({ ctid }) => ctid), values]);
  }
  await runner.query('close held');
}
