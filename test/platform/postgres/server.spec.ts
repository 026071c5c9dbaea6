import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, Server, type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { explainFailure } from '../../../src/platform/postgres/failure.js';
import { startPostgres } from '../../../src/platform/postgres/server.js';
import { processesWith } from '../../support/processes.js';
import { dataFolder } from '../../support/tarl.js';
import { until } from '../../support/until.js';

let data: Awaited<ReturnType<typeof dataFolder>>;
beforeEach(async () => {
  data = await dataFolder();
});
afterEach(() => data.remove());

async function ask(url: string, sql: string): Promise<unknown[][]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows;
  } finally {
    await client.end();
  }
}

test('rows written before a stop are there after the next start, under the same address and password', async () => {
  const first = await startPostgres({ dir: data.path, port: 0 });
  await ask(first.url, 'create table kept as select 42 as answer');
  await first.stop();
  const second = await startPostgres({ dir: data.path, port: first.port });
  expect(second.url).toBe(first.url);
  expect(await ask(second.url, 'select answer from kept')).toEqual([[42]]);
  await second.stop();
});

test('nobody connects without the password, which only the owner of the data can read', async () => {
  const server = await startPostgres({ dir: data.path, port: 0 });
  await expect(ask(server.url.replace(/:[^:@]+@/, ':guess@'), 'select 1')).rejects.toThrow('password authentication failed');
  expect((await stat(join(data.path, 'password'))).mode & 0o777).toBe(0o600);
  await server.stop();
});

test('it is reached by a Unix socket too, with the password, also after it was killed', async () => {
  const first = await startPostgres({ dir: data.path, port: 0 });
  expect(first.socketUrl).toBe(`${first.url}?host=${encodeURIComponent(join(data.path, 'sockets'))}`);
  expect(await ask(first.socketUrl, 'select inet_client_addr()')).toEqual([[null]]);
  expect(await ask(first.url, 'select inet_client_addr()')).toEqual([['127.0.0.1']]);
  await expect(ask(first.socketUrl.replace(/:[^:@]+@/, ':guess@'), 'select 1')).rejects.toThrow('password authentication failed');
  process.kill(first.pid, 'SIGKILL');
  await first.ended;
  // The pid in what it left meanwhile belongs to another process.
  const lock = join(data.path, `sockets/.s.PGSQL.${first.port}.lock`);
  await writeFile(lock, (await readFile(lock, 'utf8')).replace(/^\d+/, String(process.pid)));
  const second = await startPostgres({ dir: data.path, port: first.port });
  expect(await ask(second.socketUrl, 'select 1')).toEqual([[1]]);
  await second.stop();
});

test('where the path is too long for a socket, TCP is the only way', async () => {
  const server = await startPostgres({ dir: join(data.path, 'x'.repeat(100)), port: 0 });
  expect(server.socketUrl).toBe(server.url);
  expect(await ask(server.socketUrl, 'select 1')).toEqual([[1]]);
  await server.stop();
});

test('Postgres ends when the process that started it is killed', async () => {
  const owner = spawn(process.execPath, ['--input-type=module', '-e', `
    import { startPostgres } from ${JSON.stringify(resolve('dist/src/platform/postgres/server.js'))};
    await startPostgres({ dir: ${JSON.stringify(data.path)}, port: 0 });
    console.log('started');
    setInterval(() => {}, 1000);
  `], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(owner.stdout, 'data');
  expect(processesWith(data.path)).not.toEqual([]);
  owner.kill('SIGKILL');
  await until('Postgres ended', () => processesWith(join(data.path, 'data')).length === 0);
});

test('a start after Postgres itself was killed recovers, also when its pid meanwhile belongs to another process', async () => {
  const first = await startPostgres({ dir: data.path, port: 0 });
  await ask(first.url, 'create table kept as select 42 as answer');
  await ask(first.url, 'checkpoint');
  process.kill(first.pid, 'SIGKILL');
  await first.ended;
  const pidFile = join(data.path, 'data/postmaster.pid');
  await writeFile(pidFile, (await readFile(pidFile, 'utf8')).replace(/^\d+/, String(process.pid)));
  const second = await startPostgres({ dir: data.path, port: 0 });
  expect(await ask(second.url, 'select answer from kept')).toEqual([[42]]);
  await second.stop();
});

test('a port in use is named, with the setting that changes it', async () => {
  const first = await startPostgres({ dir: data.path, port: 0 });
  const other = await dataFolder();
  await expect(startPostgres({ dir: other.path, port: first.port })).rejects.toThrow(
    `Port ${first.port} is in use: stop what uses it, or choose another one with TARL_POSTGRES_PORT.`,
  );
  await other.remove();
  await first.stop();
});

test('a free port that somebody else takes before Postgres does is let go for another one', async () => {
  const thief = createServer();
  const { close } = Server.prototype;
  // The port is looked for by listening on it for a moment.
  const spied = jest.spyOn(Server.prototype, 'close').mockImplementationOnce(function (this: Server, done) {
    const { port } = this.address() as AddressInfo;
    return close.call(this, () => thief.listen(port, '127.0.0.1', done));
  });
  try {
    const server = await startPostgres({ dir: data.path, port: 0 });
    expect(server.port).not.toBe((thief.address() as AddressInfo).port);
    expect(await ask(server.url, 'select 1')).toEqual([[1]]);
    await server.stop();
  } finally {
    spied.mockRestore();
    thief.close();
  }
});

test.each([
  [['FATAL:  could not write lock file "postmaster.pid": No space left on device'], 'The disk that holds /data is full: free some space and start again.'],
  [['FATAL:  database files are incompatible with server'], '/data was written by another version of Postgres: start the TARL that wrote it, or choose another folder with TARL_DATA_DIR.'],
  [['LOG:  starting', 'FATAL:  lost my way'], 'The embedded Postgres did not start: lost my way.'],
])('what Postgres prints when it fails becomes a sentence: %s', (lines, sentence) => {
  expect(explainFailure(lines, { dir: '/data', port: 1 }).message).toBe(sentence);
});
