import type { PoolClient } from 'pg';
import type { Connections } from './connections.js';
import { ConnectionBroken } from './failures.js';

/** Postgres ends the session of a process that falls silent for so long in the midst of work which others wait for. */
export const silence_ms = 4000;

/** What keeps a transaction from holding what others wait for, when its process stands still or its machine vanishes. */
export const unlessSilent = (longest_ms = silence_ms): string => `set local idle_in_transaction_session_timeout = ${longest_ms}`;

/** Who follows the log beside others waits for a lock no longer than this. */
const company_ms = 1000;

/** Runs the work in a transaction of its own. Throws what the work throws, or ConnectionBroken. */
export const inTransaction = <Result>(client: PoolClient, work: () => Promise<Result>): Promise<Result> => between(client, 'begin', work);

/** The same for work that holds a view's checkpoint, without which nobody projects the view. */
export const inLiveTransaction = <Result>(client: PoolClient, work: () => Promise<Result>, longestSilence_ms = silence_ms): Promise<Result> =>
  between(client, `begin; ${unlessSilent(longestSilence_ms)}`, work);

/** The same for a batch of the log, which does not wait for the disk: of a Postgres that crashes its last batches and their checkpoints are lost together, and the log is read again from there. */
export const inBatchTransaction = <Result>(client: PoolClient, work: () => Promise<Result>, longestSilence_ms = silence_ms, inCompany = false): Promise<Result> =>
  between(client, `begin; set local synchronous_commit = off; ${unlessSilent(longestSilence_ms)}${inCompany ? `; set local lock_timeout = ${company_ms}` : ''}`, work);

async function between<Result>(client: PoolClient, begin: string, work: () => Promise<Result>): Promise<Result> {
  try {
    await client.query(begin);
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    try {
      await client.query('rollback');
    } catch {
      throw new ConnectionBroken(error);
    }
    throw error;
  }
}

/** Lends a connection for as long as the work takes; a broken one is not given back. */
export async function withClient<Result>(pool: Connections, work: (client: PoolClient) => Promise<Result>): Promise<Result> {
  const client = await pool.connect();
  let broken: Error | undefined;
  const onError = (error: Error) => (broken = error);
  client.on('error', onError);
  try {
    return await work(client);
  } catch (error) {
    if (error instanceof ConnectionBroken) broken ??= error;
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

/** Lends several connections at once, for as long as the work takes. */
export function withClients<Result>(pool: Connections, count: number, work: (clients: readonly PoolClient[]) => Promise<Result>): Promise<Result> {
  if (count === 0) return work([]);
  return withClient(pool, (client) => withClients(pool, count - 1, (others) => work([client, ...others])));
}
