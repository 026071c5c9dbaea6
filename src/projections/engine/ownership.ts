import type { Pool, PoolClient } from 'pg';
import { pause } from './pause.js';
import type { EngineLog } from './world.js';

/** The lock of the one process that projects into this database; its session writes, so who loses it cannot write. */
const ownerLock = 0x7461_726c_0002;
const retry_ms = 500;

/** The right to project, for as long as the connection lives. */
export interface Ownership {
  readonly client: PoolClient;
  /** Aborts when the connection, and with it the lock, is lost. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/** Waits for the lock, asking twice a second: a session that waits inside a statement would keep old rows from being cleaned up. */
export async function becomeOwner(pool: Pool, log: EngineLog, signal: AbortSignal): Promise<Ownership | undefined> {
  let waiting = false;
  while (!signal.aborted) {
    try {
      const ownership = await tryLock(pool, log);
      if (ownership) return ownership;
      if (!waiting) log.info({}, 'Another process keeps the read models; this one answers from them and stands by');
      waiting = true;
    } catch (error) {
      log.warn({ err: error }, 'Postgres cannot be reached; the projections wait for it');
    }
    await pause(retry_ms, signal);
  }
  return undefined;
}

async function tryLock(pool: Pool, log: EngineLog): Promise<Ownership | undefined> {
  const client = await pool.connect();
  const lost = new AbortController();
  const onEnd = () => lost.abort();
  client.on('error', onEnd).on('end', onEnd);
  const giveBack = (broken?: unknown) => {
    client.off('error', onEnd).off('end', onEnd);
    client.release(broken instanceof Error ? broken : lost.signal.aborted);
  };
  try {
    const { rows } = await client.query('select pg_try_advisory_lock($1) as held', [ownerLock]);
    if (!rows[0].held) {
      giveBack();
      return undefined;
    }
    // When the owner's machine vanishes, Postgres notices within seconds and lets another one own the lock.
    await client.query('set tcp_keepalives_idle = 2; set tcp_keepalives_interval = 1; set tcp_keepalives_count = 3');
  } catch (error) {
    giveBack(error);
    throw error;
  }
  return {
    client,
    lost: lost.signal,
    release: async () => {
      try {
        if (!lost.signal.aborted) await client.query('select pg_advisory_unlock($1)', [ownerLock]);
      } catch (error) {
        log.debug({ err: error }, 'The lock of the projections went with its connection');
      } finally {
        giveBack(new Error('The session ends with its ownership'));
      }
    },
  };
}
