import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../../bin/prepare.mjs';

/**
 * Before the first suite: builds, since many suites start compiled programs, and offers the workers one Postgres for all
 * of them, which is started when the first of them asks for it.
 */
export default async function globalSetup() {
  await build();
  let running;
  const offer = createServer(async (_request, response) => {
    try {
      running ??= startShared();
      response.end((await running).server.url);
    } catch (error) {
      response.writeHead(500).end(error.stack);
    }
  });
  await new Promise((listening) => offer.listen(0, '127.0.0.1', listening));
  process.env.TEST_POSTGRES_OFFER = `http://127.0.0.1:${offer.address().port}/`;
  globalThis.stopSharedPostgres = async () => {
    offer.close();
    if (!running) return;
    const { server, dir } = await running;
    await server.stop();
    await rm(dir, { recursive: true });
  };
}

async function startShared() {
  const { startPostgres } = await import('../../dist/src/platform/postgres/server.js');
  const dir = await mkdtemp(join(tmpdir(), 'tarl-test-postgres-'));
  // Nothing here outlives the run, so nothing needs to reach the disk.
  const settings = { fsync: 'off', full_page_writes: 'off', max_connections: 400 };
  return { dir, server: await startPostgres({ dir, port: 0, settings }) };
}
