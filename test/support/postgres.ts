import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { makePool } from '../../src/platform/postgres/pool.js';

/** An empty database of the run's shared Postgres, for one test or suite. */
export interface TestDatabase {
  url: string;
  pool: pg.Pool;
  /** Ends the pool and removes the database, also when something is still connected to it. */
  drop(): Promise<void>;
}

/** Makes a fresh database. The first call of a run starts Postgres (about a second); the others take some 30 ms. */
export async function testDatabase(): Promise<TestDatabase> {
  const server = await sharedServer();
  const name = `test_${randomBytes(8).toString('hex')}`;
  await administer(server, `create database ${name}`);
  const url = Object.assign(new URL(server), { pathname: `/${name}` }).href;
  const pool = makePool(url);
  return {
    url,
    pool,
    async drop() {
      await pool.end();
      await administer(server, `drop database ${name} with (force)`);
    },
  };
}

async function sharedServer(): Promise<string> {
  const offer = process.env.TEST_POSTGRES_OFFER;
  if (!offer) throw new Error('The shared Postgres is offered by test/support/global-setup.mjs; run this through Jest.');
  // A connection kept from the suite before may be closed by the other side at the moment it is used again.
  const answer = await fetch(offer, { headers: { connection: 'close' } });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`The shared Postgres did not start: ${text}`);
  return text;
}

async function administer(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
