import { setTimeout as delay } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import { Refusal } from '../../domain/kit/index.js';
import type { View } from '../kit/view.js';
import { Shelf } from './parking/shelf.js';
import { dropShadows } from './shadow.js';
import { withClient } from './transaction.js';
import type { World } from './world.js';

/** The first half of the lock of a view's rebuild; the second comes from the view's name. */
const rebuildLock = 0x7461_726c;

/** Runs a rebuild unless another one of the view is under way, and leaves no half-built table behind. */
export async function asOnlyRebuild<Result>(client: ClientBase, view: View, work: () => Promise<Result>): Promise<Result> {
  if (!(await lockPatiently(client, view))) {
    throw new Refusal('FAILED_PRECONDITION', `View ${view.name} is being rebuilt already`, { reason: 'REBUILD_RUNNING' });
  }
  try {
    await clear(client, view);
    return await work();
  } finally {
    await clear(client, view);
    await client.query('select pg_advisory_unlock($1, hashtext($2))', [rebuildLock, view.name]);
  }
}

/** Removes what rebuilds left behind whose process died. Those under way are not touched. */
export async function clearLeftovers(views: readonly View[], { pool }: World): Promise<void> {
  await withClient(pool, async (client) => {
    for (const view of views) {
      if (!(await lock(client, view))) continue;
      await clear(client, view);
      await client.query('select pg_advisory_unlock($1, hashtext($2))', [rebuildLock, view.name]);
    }
  });
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

async function clear(client: ClientBase, view: View): Promise<void> {
  await dropShadows(client, view.tables);
  await new Shelf(view, true).clear(client);
  await client.query('delete from projection_builds where view = $1', [view.name]);
}
