import { setTimeout as delay } from 'node:timers/promises';
import type { ClientBase, PoolClient } from 'pg';
import { Refusal } from '../../domain/kit/index.js';
import type { View } from '../kit/view.js';
import { ConnectionBroken } from './failures.js';
import { Shelf } from './parking/shelf.js';
import { canGoOn, dropFormer, findRecord, giveBackFormer } from './rebuild-record.js';
import { dropTables, shadowName } from './shadow.js';
import { inTransaction, withClient } from './transaction.js';
import type { World } from './world.js';

/** The first half of the lock of a view's rebuild; the second comes from the view's name. */
const rebuildLock = 0x7461_726c;

/** Runs a rebuild unless another one of the view is under way. It leaves nothing half-built behind, but what is filled where it was only interrupted. */
export async function asOnlyRebuild<Result>(client: PoolClient, view: View, interrupted: AbortSignal, work: () => Promise<Result>): Promise<Result> {
  if (!(await lockPatiently(client, view))) {
    throw new Refusal('FAILED_PRECONDITION', `View ${view.name} is being rebuilt already`, { reason: 'REBUILD_RUNNING' });
  }
  try {
    return await work();
  } catch (error) {
    // The lock went with the connection, and whoever comes next finds what is filled.
    if (error instanceof ConnectionBroken || interrupted.aborted) throw error;
    await clearBuild(client, view).catch(() => Promise.reject(new ConnectionBroken(error)));
    throw error;
  } finally {
    await client.query('select pg_advisory_unlock($1, hashtext($2))', [rebuildLock, view.name]).catch(() => undefined);
  }
}

/** Removes what rebuilds left behind whose process died, but what another one will go on with. Those under way are not touched. */
export async function clearLeftovers(views: readonly View[], { pool }: World): Promise<void> {
  await eachIdle(views, pool, async (client, view) => {
    const record = await findRecord(client, view);
    const goesOn = (await isWanted(client, view)) && ((await canGoOn(client, view, record, 'log')) || (await canGoOn(client, view, record, 'former')));
    if (!goesOn) await clearBuild(client, view);
  });
}

/** Removes former tables that were replaced so long ago that nobody will want them back. */
export async function removeFormers(views: readonly View[], { pool }: World, olderThan_hours: number): Promise<void> {
  await eachIdle(views, pool, async (client, view) => {
    const { rows } = await client.query(`select 1 from projection_formers where view = $1 and replaced_at <= now() - make_interval(secs => $2)`, [view.name, olderThan_hours * 3600]);
    if (rows.length > 0) await inTransaction(client, () => dropFormer(client, view));
  });
}

/** Drops a shadow; one that was made of former tables becomes these again. */
export async function clearBuild(client: PoolClient, view: View): Promise<void> {
  await inTransaction(client, async () => {
    const record = await findRecord(client, view);
    if (record?.source === 'former') await giveBackFormer(client, view, record);
    await dropTables(client, view.tables, shadowName);
    await new Shelf(view, 'shadow').clear(client);
    await client.query('delete from projection_builds where view = $1', [view.name]);
  });
}

async function eachIdle(views: readonly View[], pool: World['pool'], work: (client: PoolClient, view: View) => Promise<void>): Promise<void> {
  await withClient(pool, async (client) => {
    for (const view of views) {
      if (!(await lock(client, view))) continue;
      try {
        await work(client, view);
      } finally {
        await client.query('select pg_advisory_unlock($1, hashtext($2))', [rebuildLock, view.name]);
      }
    }
  });
}

/** Somebody will take the build up: an operation that has not ended, or the owner, because the live rows are of another version. */
async function isWanted(client: ClientBase, { name, version }: View): Promise<boolean> {
  const { rows } = await client.query(
    `select exists (select from operations where view = $1 and state = 'running')
         or not exists (select from projection_checkpoints where view = $1 and version = $2) as wanted`,
    [name, version],
  );
  return rows[0].wanted;
}

/** An owner that starts holds the locks for a moment, to clear up. */
async function lockPatiently(client: ClientBase, view: View): Promise<boolean> {
  for (let attempt = 0; attempt < 5; attempt++) {
    if (await lock(client, view)) return true;
    await delay(100);
  }
  return false;
}

async function lock(client: ClientBase, view: View): Promise<boolean> {
  const { rows } = await client.query('select pg_try_advisory_lock($1, hashtext($2)) as held', [rebuildLock, view.name]);
  return rows[0].held;
}
