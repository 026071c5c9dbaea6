import { statfsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Database, Key } from 'lmdb';
import type { Environment } from './environment.js';

/** The disk has no room for what was to be written. Nothing of it is there. */
export class NoRoom extends Error {
  override name = 'NoRoom';
}

/** LMDB's own failure follows the one that it rejects with. */
const CAUSE_MS = 1_000;
/** With less than this, a write that fails is taken to have failed for want of room: LMDB calls a write cut short an input/output error. */
const LITTLE_ROOM_BYTES = 4 * 1024 * 1024;

/**
 * Makes changes in one transaction; resolves when they are durable, and rejects with the one reason why none of them is. `here`
 * does it in this turn: two hops between threads less, but nobody else is served meanwhile.
 */
export async function transact(environment: Environment, change: () => void, { here = false } = {}): Promise<void> {
  const { root, dir } = environment;
  try {
    if (here) root.transactionSync(change);
    else await root.batch(change);
  } catch (error) {
    const cause = await causeOf(error);
    throw isForWantOfRoom(dir) ? new NoRoom('There is no room left on the disk.', { cause }) : cause;
  }
}

/** A table whose changes are made in transactions only: that one of them failed is told by its transaction, and not by the change as well. */
export function inTransactions<K extends Key>(table: Database<Buffer, K>): Database<Buffer, K> {
  let last: Promise<boolean> | undefined;
  const hush = (change: Promise<boolean>): Promise<boolean> => {
    // The changes of a transaction mostly share one promise.
    if (change !== last) change.catch(() => undefined);
    return (last = change);
  };
  const [put, remove] = [table.put.bind(table) as Change<K>, table.remove.bind(table) as Change<K>];
  table.put = (...change: Parameters<Change<K>>) => hush(put(...change));
  table.remove = (...change: Parameters<Change<K>>) => hush(remove(...change));
  return table;
}

type Change<K> = (key: K, ...rest: unknown[]) => Promise<boolean>;

function isForWantOfRoom(dir: string): boolean {
  const { bavail, bsize } = statfsSync(dir);
  return bavail * bsize < LITTLE_ROOM_BYTES;
}

async function causeOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { commitError?: Promise<never> };
  return commitError === undefined ? error : Promise.race([commitError, delay(CAUSE_MS, error, { ref: false })]).catch((cause: unknown) => cause);
}
