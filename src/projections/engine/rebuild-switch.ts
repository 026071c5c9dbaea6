import pg, { type PoolClient } from 'pg';
import { comparePositions } from '../../platform/eventstore/port.js';
import type { View } from '../kit/view.js';
import { lockCheckpoint, putCheckpoint, readCheckpoints, type ViewCheckpoint } from './checkpoints.js';
import { Shelf } from './parking/shelf.js';
import { pause } from './pause.js';
import type { Course } from './rebuild-course.js';
import { dropFormer, keepFormer } from './rebuild-record.js';
import type { Shadow } from './rebuild-shadow.js';
import { switchTables } from './shadow.js';
import { holdTogether } from './together.js';
import { unlessSilent } from './transaction.js';
import type { World } from './world.js';

/** How long the switch waits for queries on the old tables before it lets others pass and tries again. */
const switchPatience = '1s';
const lockNotAvailable = '55P03';
/** The version of a view that has never been built: there is nothing to keep. */
const unbuilt = 0;

/** What the rows that answer are made of. */
export interface LiveRows {
  /** Another release made them, or nobody. */
  readonly ofOtherVersion: boolean;
  /** They hold all that the same fold would give: no slice fails, and no key waits for an event that could not be taken. */
  readonly shouldBeSame: boolean;
}

export async function liveRows(client: PoolClient, view: View): Promise<LiveRows> {
  const checkpoint = (await readCheckpoints(client)).get(view.name);
  const ofOtherVersion = checkpoint?.version !== view.version;
  const isWhole = checkpoint?.slices.every(({ error }) => error === undefined) && (await new Shelf(view).keys(client)).size === 0;
  return { ofOtherVersion, shouldBeSame: !ofOtherVersion && isWhole === true };
}

/** Puts the shadow in the place of the live tables, which are kept; follows the log for as long as a query holds these. */
export async function switchTo(shadow: Shadow, view: View, world: World, client: PoolClient, course: Course): Promise<void> {
  await course.whilePaused();
  course.enter('switching');
  while (!(await trySwitch(shadow, view, world, client))) {
    await pause(200, course.signal);
    await shadow.follow();
  }
  world.parked.forget();
}

/** False when a long query keeps the old tables. The view's checkpoint is held, so the live view stands still for as long. */
async function trySwitch(shadow: Shadow, view: View, world: World, client: PoolClient): Promise<boolean> {
  const [live, former] = [new Shelf(view), new Shelf(view, 'former')];
  try {
    await shadow.inTransaction(async () => {
      await client.query(`set local lock_timeout = '${switchPatience}'; ${unlessSilent()}`);
      const checkpoint = await lockCheckpoint(client, view.name);
      if (checkpoint && comparePositions(checkpoint.furthest, shadow.position) > 0) await shadow.projectUpTo(checkpoint.furthest);
      await shadow.leaveOutSkipped();
      const kept = checkpoint && (await atOnePlace(view, world, client, checkpoint));
      await dropFormer(client, view);
      await switchTables(client, view.tables);
      await live.moveTo(client, former);
      await shadow.shelf.moveTo(client, live);
      if (kept && kept.version !== unbuilt) await keepFormer(client, view, kept);
      else await dropFormer(client, view);
      await putCheckpoint(client, view, shadow.position);
      await shadow.end();
    });
    return true;
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === lockNotAvailable) return false;
    throw error;
  }
}

/** Where the rows that are replaced can be followed from; undefined where slices stand apart and cannot be brought together, because they are broken or another release's. */
async function atOnePlace(view: View, world: World, client: PoolClient, checkpoint: ViewCheckpoint): Promise<ViewCheckpoint | undefined> {
  if (comparePositions(checkpoint.position, checkpoint.furthest) === 0) return checkpoint;
  await client.query('savepoint apart');
  try {
    return await holdTogether(client, view, world);
  } catch (error) {
    world.log.warn({ err: error, view: view.name }, 'The rows that a rebuild replaces cannot be kept');
    await client.query('rollback to savepoint apart');
    return undefined;
  }
}
