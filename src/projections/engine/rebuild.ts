import type { PoolClient } from 'pg';
import type { RebuildProgress, ViewComparison } from '../../api/core.js';
import { Refusal } from '../../domain/kit/index.js';
import type { View } from '../kit/view.js';
import { latestOf, readLocks } from './locks.js';
import { compareAtOnePosition, rowsThatDiffer } from './rebuild-compare.js';
import { Course, type Steering } from './rebuild-course.js';
import { asOnlyRebuild, clearBuild } from './rebuild-lock.js';
import { findFormer, findRecord } from './rebuild-record.js';
import { Shadow } from './rebuild-shadow.js';
import { liveRows, switchTo, type LiveRows } from './rebuild-switch.js';
import { formerName, sameShape, shadowName } from './shadow.js';
import { withClient } from './transaction.js';
import type { World } from './world.js';

/**
 * Makes a view's tables anew from the log beside the live ones, and puts them in their place. Queries go on meanwhile.
 * Live rows that should be the same are compared first: where they differ, the live view has a fault, and it is the policy
 * that says whether they are replaced.
 */
export async function rebuild(view: View, world: World, tell: (progress: RebuildProgress) => void, interrupted: AbortSignal, steering: Partial<Steering> = {}): Promise<void> {
  await alone(view, world, { tell, interrupted, ...steering }, async (client, course) => {
    const live = await liveRows(client, view);
    const shadow = new Shadow(view, world, client, course);
    await shadow.build(live.ofOtherVersion && (await isFormerOfThisVersion(client, view)) ? 'former' : 'log');
    await compareFirst(view, world, client, course, shadow, live, steering);
    await switchTo(shadow, view, world, client, course);
  });
}

/** Makes a view's tables anew beside the live ones, compares both at one position, and throws the new ones away. */
export async function compareRebuilt(view: View, world: World, steering: Steering): Promise<ViewComparison> {
  return alone(view, world, steering, async (client, course) => {
    const shadow = new Shadow(view, world, client, course);
    await shadow.build('log');
    const comparison = await compareAtOnePosition(view, world, client, course, shadow);
    await clearBuild(client, view);
    return comparison;
  });
}

/** Puts the rows that the last rebuild has replaced in the place of the live ones, once they hold the log up to its end. The live ones are kept in turn. */
export async function rollBack(view: View, world: World, steering: Steering): Promise<void> {
  await alone(view, world, steering, async (client, course) => {
    await requireFormer(client, view);
    const shadow = new Shadow(view, world, client, course);
    await shadow.build('former');
    await switchTo(shadow, view, world, client, course);
  });
}

async function alone<Result>(view: View, world: World, steering: Steering, work: (client: PoolClient, course: Course) => Promise<Result>): Promise<Result> {
  const end = await world.eventStore.endOfLog();
  return withClient(world.pool, async (client) => {
    await leaveToNewer(client, view);
    return asOnlyRebuild(client, view, steering.interrupted, () => work(client, new Course(end, steering)));
  });
}

/** Two releases that each put their own version in the place of the other's would never end. */
async function leaveToNewer(client: PoolClient, { name, version }: View): Promise<void> {
  const latest = latestOf(await readLocks(client), name);
  if (latest <= version) return;
  throw new Refusal('FAILED_PRECONDITION', `View ${name} is kept in version ${latest} by a newer release, and this one has version ${version}: ask the newer one`, { reason: 'KEPT_BY_NEWER_RELEASE' });
}

async function compareFirst(view: View, world: World, client: PoolClient, course: Course, shadow: Shadow, live: LiveRows, { onDifference, compared }: Partial<Steering>): Promise<void> {
  const policy = onDifference ?? (live.shouldBeSame ? (view.onDifference ?? 'STOP') : 'SWITCH');
  // Another fold gives other rows, and so does one that can take more: there is nothing to learn unless somebody asks.
  if (!live.shouldBeSame && policy === 'SWITCH') return;
  const comparison = await compareAtOnePosition(view, world, client, course, shadow);
  compared?.(comparison);
  if (comparison.same || policy === 'SWITCH') return;
  throw new Refusal('FAILED_PRECONDITION', `The rows of ${view.name} differ from what the log gives (${rowsThatDiffer(comparison)} of them): nothing was switched`, {
    reason: 'ROWS_DIFFER',
    metadata: { view: view.name, position: comparison.position, rows: `${rowsThatDiffer(comparison)}` },
  });
}

/** After a step back to an earlier release its rows are still there, and only have to follow. */
async function isFormerOfThisVersion(client: PoolClient, view: View): Promise<boolean> {
  return (await findFormer(client, view))?.version === view.version && isUsable(client, view);
}

async function requireFormer(client: PoolClient, view: View): Promise<void> {
  const { name, version } = view;
  const former = await findFormer(client, view);
  if (!former) throw new Refusal('FAILED_PRECONDITION', `No former rows of ${name} are kept`, { reason: 'NO_FORMER_ROWS' });
  if (former.version !== version) {
    throw new Refusal('FAILED_PRECONDITION', `The former rows of ${name} are of version ${former.version}, and this release keeps version ${version}: start the release that had it, which takes them up by itself`, { reason: 'FORMER_OF_OTHER_VERSION' });
  }
  if (!(await isUsable(client, view))) throw new Refusal('FAILED_PRECONDITION', `The tables of ${name} have changed since its former rows were replaced`, { reason: 'TABLES_CHANGED' });
}

/** While a rollback is under way, or was interrupted, the former tables are its shadow. */
async function isUsable(client: PoolClient, view: View): Promise<boolean> {
  return sameShape(client, view.tables, (await findRecord(client, view))?.source === 'former' ? shadowName : formerName);
}
