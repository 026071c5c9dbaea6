import type { Queryable } from './connections.js';
import { hashOf, mostSlices, type Duty } from './slices.js';
import type { View } from '../kit/view.js';

type Lock = readonly [first: number, second: number];

/** The first halves of the engine's locks: this one for being there, and the next ones for the slices 0, 1, 2, … of a view. */
const firstLock = 0x7461_7300;

/** Held, shared, by every process that projects. */
export const memberLock: Lock = [firstLock, 0];

/** Held by the one process that projects the slice. */
export const sliceLock = (view: string, index: number): Lock => [firstLock + 1 + index, hashOf(view)];

const bitsOfVersion = 12;
const versionMask = (1 << bitsOfVersion) - 1;
const withoutVersion = (view: string) => hashOf(view) & ~versionMask;

/** Held, shared, by every process that projects, for each of its views: it says in which version its release keeps it. */
export const versionLock = ({ name, version }: View): Lock => [versionClass, withoutVersion(name) | (version & versionMask)];
const versionClass = firstLock + mostSlices + 1;

/** Held by the one process that builds the view in its version, while another one may keep the rows of the version before. */
export const buildLock = (view: string): Lock => [buildClass, hashOf(view)];
const buildClass = versionClass + 1;

/** Held by the one process that has the duty. */
export const dutyLock = ({ view, index, isBuilt }: Duty): Lock => (isBuilt ? sliceLock(view.name, index) : buildLock(view.name));

/** Who projects, as Postgres sees it: the members by their sessions, and which of these and of the processes owns what. */
export interface Locks {
  readonly members: readonly number[];
  /** The members by their duties, which go by the `lockName` of their locks. */
  readonly holders: ReadonlyMap<string, number>;
  /** The same, by the process as it calls itself. */
  readonly owners: ReadonlyMap<string, string>;
  /** In which version each member's release keeps a view. */
  versionsOf(view: string): ReadonlyMap<number, number>;
  /** The number of the session that asks. */
  readonly me: number;
}

const selectLocks = `
  select lock.pid, lock.classid::integer as class, lock.objid::integer as hash, activity.application_name as process, pg_backend_pid() as me
  from pg_locks lock join pg_stat_activity activity on activity.pid = lock.pid
  where lock.locktype = 'advisory' and lock.objsubid = 2 and lock.granted
    and lock.database = (select oid from pg_database where datname = current_database())
    and lock.classid::bigint between ${firstLock} and ${buildClass}`;

/** Reads who projects, and what. */
export async function readLocks(db: Queryable): Promise<Locks> {
  const { rows } = await db.query(selectLocks);
  const versions = rows.filter((lock) => lock.class === versionClass);
  const duties = rows.filter((lock) => lock.class !== firstLock && lock.class !== versionClass);
  return {
    members: rows.filter((lock) => lock.class === firstLock).map(({ pid }) => pid),
    owners: new Map(duties.map(({ class: first, hash, process }) => [lockName([first, hash]), process.replace(/^tarl /, '')])),
    holders: new Map(duties.map(({ class: first, hash, pid }) => [lockName([first, hash]), pid])),
    versionsOf: (view) => new Map(versions.filter(({ hash }) => (hash & ~versionMask) === withoutVersion(view)).map(({ pid, hash }) => [pid, hash & versionMask])),
    me: rows[0]?.me,
  };
}

/** The latest version in which any member has a view; 0 where none says. */
export const latestOf = ({ versionsOf }: Locks, view: string): number => Math.max(0, ...versionsOf(view).values());

/**
 * The members that may have a duty. A view's slices are kept by those whose release has it in the version in which it stands.
 * It is built by those that have its latest version: an older release would build its own over that, in turns.
 */
export function keepersOf(locks: Locks, { view, isBuilt }: Duty): readonly number[] {
  const versions = locks.versionsOf(view.name);
  const wanted = isBuilt ? view.version & versionMask : latestOf(locks, view.name);
  return locks.members.filter((id) => (versions.get(id) ?? 0) === wanted);
}

/** What a lock is called among the owners. */
export const lockName = ([first, second]: Lock): string => `${first}/${second}`;
