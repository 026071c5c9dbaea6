import type { Pool, PoolClient } from 'pg';
import { ConnectionBroken } from './failures.js';

/** Runs the work in a transaction of its own. Throws what the work throws, or ConnectionBroken. */
export async function inTransaction<Result>(client: PoolClient, work: () => Promise<Result>): Promise<Result> {
  try {
    await client.query('begin');
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
export async function withClient<Result>(pool: Pool, work: (client: PoolClient) => Promise<Result>): Promise<Result> {
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
export function withClients<Result>(pool: Pool, count: number, work: (clients: readonly PoolClient[]) => Promise<Result>): Promise<Result> {
  if (count === 0) return work([]);
  return withClient(pool, (client) => withClients(pool, count - 1, (others) => work([client, ...others])));
}
