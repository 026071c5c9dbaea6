import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { credentials, loadPackageDefinition, type Client } from '@grpc/grpc-js';
import { loadProtos } from '../../src/api/grpc/protos.js';
import { startPlatform, type Platform } from '../../src/main.js';
import { readConfig } from '../../src/platform/config/index.js';
import { createLogger } from '../../src/platform/telemetry/logger.js';
import { callGraphql, callGrpc, callRest, type Outcome } from '../api/support/clients.js';
import { ownerKey } from '../api/support/memory-core.js';
import { testEventStore, type TestEventStore } from '../support/eventstore.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { dataFolder, tarlUp, type RunningTarl } from '../support/tarl.js';
import { until } from '../support/until.js';

let store: TestEventStore;
let database: TestDatabase;
let api: Platform;
let grpc: Client;
let folder: Awaited<ReturnType<typeof dataFolder>>;
const projectors = new Map<number, RunningTarl>();
let running: ReturnType<typeof load> | undefined;

beforeAll(async () => {
  [store, database, folder] = await Promise.all([testEventStore(), testDatabase(), dataFolder()]);
  const config = readConfig({ TARL_HTTP_PORT: '0', TARL_GRPC_PORT: '0', TARL_GRAPHQL_PORT: '0', TARL_ROLES: 'api', TARL_MIN_POSITION_WAIT_MS: '60000' });
  api = await startPlatform(config, { eventstoreUrl: store.url, postgresUrl: database.url, localKey: ownerKey }, createLogger('silent'));
  const loaded = loadPackageDefinition(loadProtos(['tarl/projects/v1/projects.proto'])) as any;
  grpc = new loaded.tarl.projects.v1.Projects(api.addresses.grpc!, credentials.createInsecure());
});
afterAll(async () => {
  await running?.stop();
  for (const { child, ended } of projectors.values()) {
    child.kill('SIGKILL');
    await ended;
  }
  grpc.close();
  await api.close();
  await store.close();
  await database.drop();
  await folder.remove();
});

async function startProjector(name: string): Promise<void> {
  const started = await tarlUp(`${folder.path}/${name}`, { args: ['--roles', 'projector'], env: { TARL_EVENTSTORE_URL: store.url, TARL_POSTGRES_URL: database.url } });
  projectors.set(started.pid, started);
}

const rest = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => callRest(api.addresses.rest, method, `/api/v1${path}`, body, headers);

/** How a client writes and reads a project, on each wire. */
const wires: Record<string, { describe(project: string, description: string): Promise<Outcome>; read(project: string, after: string): Promise<Outcome> }> = {
  rest: {
    describe: (project, description) => rest('POST', `/projects/${project}:describe`, { description }),
    read: (project, after) => rest('GET', `/projects/${project}`, undefined, { 'tarl-min-position': after }),
  },
  grpc: {
    describe: (project, description) => callGrpc(grpc, 'DescribeProject', { project, description }),
    read: (project, after) => callGrpc(grpc, 'GetProject', { project }, { 'tarl-min-position': after }),
  },
  graphql: {
    describe: (project, description) => callGraphql(api.addresses.graphql!, { query: 'mutation ($input: DescribeProjectInput!) { answer: describeProject(input: $input) { position } }', variables: { input: { project, description } } }),
    read: (project, after) => callGraphql(api.addresses.graphql!, { query: 'query ($project: String!) { answer: project(project: $project) { description } }', variables: { project } }, { 'tarl-min-position': after }),
  },
};

/** Clients of all wires that write and read what they have written, until they are told to stop; each gives how often it did, and what it did not like. */
function load(): { stop(): Promise<{ rounds: number; complaints: unknown[] }> } {
  let stopped = false;
  let rounds = 0;
  const complaints: unknown[] = [];
  const client = async (wire: string) => {
    const project = `load_${wire}`;
    for (let round = 0; !stopped; round++, rounds++) {
      const written = await wires[wire]!.describe(project, `${round}`);
      const position = written.answer?.position ?? written.answer?.answer?.position;
      if (position === undefined) return void complaints.push({ wire, round, written });
      const read = await wires[wire]!.read(project, position);
      const description = read.answer?.description ?? read.answer?.answer?.description;
      if (description !== `${round}`) return void complaints.push({ wire, round, read });
    }
  };
  const clients = Object.keys(wires).map(client);
  return {
    async stop() {
      stopped = true;
      await Promise.all(clients);
      return { rounds, complaints };
    },
  };
}

const projectsView = async () => (await rest('GET', '/projections')).answer.projections.find(({ name }: { name: string }) => name === 'projects');
const versionOf = async () => (await database.pool.query(`select version from projection_checkpoints where view = 'projects'`)).rows[0]?.version;

test('a changed view is rebuilt, compared and switched, a poisoned key parked and retried, a projector killed, and no client sees an error or old data', async () => {
  await startProjector('first');
  for (const wire of Object.keys(wires)) await rest('POST', '/projects', { project: `load_${wire}`, description: '' });
  for (let project = 0; project < 300; project++) await rest('POST', '/projects', { project: `p_${project}`, description: '' });
  await until('the view is there', async () => (await rest('GET', '/projects/p_299')).status === 200);

  // What an older release would have left.
  const [first] = [...projectors.values()];
  expect(await first!.stop()).toBe(0);
  projectors.delete(first!.pid);
  const current = await versionOf();
  await database.pool.query(`update projection_checkpoints set version = version - 1 where view = 'projects'`);
  running = load();
  await Promise.all([startProjector('second'), startProjector('third')]);
  await until('the changed view is built', async () => (await versionOf()) === current);

  const { answer: begun } = await rest('POST', '/projections/projects:rebuild', {});
  const operation = await until('the rebuild is done', async () => {
    const { answer } = await rest('GET', `/${begun.name}`);
    return answer.done && answer;
  });
  expect(operation).toMatchObject({ metadata: { state: 'done', comparison: { same: true } } });

  await database.pool.query(`alter table projects add constraint no_poison check (project <> 'poison')`);
  const { headers } = await rest('POST', '/projects', { project: 'poison', description: '' });
  const parked = await until('the key is parked', async () => (await rest('GET', '/projections/projects/parked')).answer.parked[0]);
  expect(parked).toMatchObject({ view: 'projects', key: 'poison', event: { type: 'ProjectCreated', position: headers!['tarl-position'] } });
  await until('answers say so', async () => (await rest('GET', '/projects')).headers!['tarl-parked-keys'] === 'projects=1');
  await database.pool.query(`alter table projects drop constraint no_poison`);
  expect((await rest('POST', '/projections/projects:retry', { key: 'poison' })).answer).toEqual({ taken: 1, left: 0 });
  expect((await rest('GET', '/projects/poison')).status).toBe(200);

  const owner = (await projectsView()).slices[0].owner as string;
  const victim = [...projectors.values()].find(({ pid }) => owner.endsWith(`:${pid}`))!;
  victim.child.kill('SIGKILL');
  await until('another projector has taken over', async () => {
    const now = (await projectsView()).slices[0].owner;
    return now !== undefined && now !== owner;
  });
  const { headers: after } = await rest('POST', '/projects', { project: 'afterwards', description: '' });
  expect((await rest('GET', '/projects/afterwards', undefined, { 'tarl-min-position': after!['tarl-position']! })).status).toBe(200);

  const { rounds, complaints } = await running.stop();
  expect(complaints).toEqual([]);
  expect(rounds).toBeGreaterThan(50);
});
