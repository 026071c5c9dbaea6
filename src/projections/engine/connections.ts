import type { Pool, PoolClient, QueryConfig, QueryResult, QueryResultRow } from 'pg';

/** What takes a statement: a connection, or a pool of them. */
export interface Queryable {
  query<Row extends QueryResultRow = any>(text: string | QueryConfig, values?: unknown[]): Promise<QueryResult<Row>>;
}

/** What the engine asks of a pool. */
export interface Connections extends Queryable {
  connect(): Promise<PoolClient>;
}

/** Single statements of the engine are short; one that takes longer has met a connection that has fallen silent. */
const patience_ms = 15_000;

/** A pool whose single statements fail rather than wait for ever. Work on a connection that is lent takes as long as it needs. */
export const patient = (pool: Connections): Connections => ({
  connect: () => pool.connect(),
  query: (text, values) => pool.query({ ...(typeof text === 'string' ? { text, values } : text), query_timeout: patience_ms } as QueryConfig),
});

/** Throws away the connections that nobody uses: after one has fallen silent the others are not to be trusted. */
export async function forgetIdle(pool: Pool): Promise<void> {
  while (pool.idleCount > 0) (await pool.connect()).release(true);
}

/**
 * Connections of a pool that are all cut when the signal aborts. Whoever waits for an answer on one that has fallen
 * silent would otherwise wait for as long as TCP does, which is for ever where something in between says that it lives.
 */
export function cutBy(signal: AbortSignal, pool: Connections): Connections {
  const lent = new Set<PoolClient>();
  const waiting = new Set<(error: Error) => void>();
  signal.addEventListener('abort', () => {
    for (const giveUp of waiting) giveUp(new Error('The connections were cut'));
    for (const client of lent) void client.end();
  }, { once: true });

  async function connect(): Promise<PoolClient> {
    signal.throwIfAborted();
    const connecting = pool.connect();
    // Not a race with one long promise: that would remember every connection that was ever lent.
    const client = await new Promise<PoolClient>((resolve, giveUp) => {
      waiting.add(giveUp);
      connecting.then(resolve, giveUp).finally(() => waiting.delete(giveUp));
    }).catch((error: unknown) => {
      // It may still come, and nobody will give it back.
      connecting.then((late) => late.release(true), () => undefined);
      throw error;
    });
    const { release } = client;
    lent.add(client);
    client.release = (broken) => {
      lent.delete(client);
      client.release = release;
      client.release(broken);
    };
    return client;
  }

  async function query(text: string | QueryConfig, values?: unknown[]): Promise<QueryResult<any>> {
    const client = await connect();
    let broken = true;
    try {
      const result = await client.query(text, values);
      broken = false;
      return result;
    } finally {
      client.release(broken);
    }
  }
  return { connect, query };
}
