import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import type { MethodDefinition } from '@grpc/grpc-js';
import { inTurns, median, percentile, type BenchOptions, type Row } from './kit.js';
import { batchOf, benchGroup } from './support/columns.js';
import { callUnary, grpcClient } from './support/grpc-client.js';
import { grpcFrame, grpcHeaders, load, type LoadResult } from './support/load.js';
import { startPlatform, type BenchPlatform } from './support/platform.js';

const proto = 'tarl/features/v1/features.proto';
const service = 'tarl.features.v1.Features';
const project = 'bench';
const group = 'rows';
const entities = 10_000;
const rowsPerRequest = 1_000;
const requestsInFlight = 16;

/** Writing and online reading over the public wires of a whole platform: API, event store and Postgres on this machine. */
export async function featuresBench({ scale, log }: BenchOptions): Promise<Row[]> {
  const platform = await startPlatform();
  try {
    const idle = await platform.residentMiB();
    const features = grpcClient(proto, service, platform);
    await callUnary(grpcClient('tarl/projects/v1/projects.proto', 'tarl.projects.v1.Projects', platform), 'CreateProject', { project });
    await callUnary(features, 'CreateFeatureGroup', { project, group, ...benchGroup });
    log('  writing');
    const writing = await streamRows(features, Math.ceil(1_000_000 * scale));
    log('  reading');
    return [writing, await visible(features, Math.ceil(60 * 1_000 * scale)), ...(await oneEntity(platform, scale)), ...(await manyEntities(platform, scale)), await service50(features, platform, scale), idleMemory(idle)];
  } finally {
    await platform.stop();
  }
}

async function streamRows(client: ReturnType<typeof grpcClient>, rows: number): Promise<Row> {
  const fromUs = Date.UTC(2026, 0) * 1000;
  const requests = Array.from({ length: 20 }, (_, n) => batchOf({ rows: rowsPerRequest, entities, first: n * rowsPerRequest, fromUs }));
  const rates: number[] = [];
  for (let round = 0; round < 3; round++) rates.push(await streamOnce(client, requests, Math.ceil(rows / 3 / rowsPerRequest)));
  const rate = median(rates);
  return { what: 'rows written through StreamWrite, acknowledged and durable', measured: rate, unit: 'rows/s', target: '100,000 rows/s', reached: rate >= 100_000 };
}

/** A client that keeps a bounded number of requests unanswered. */
function streamOnce(client: ReturnType<typeof grpcClient>, batches: readonly object[], count: number): Promise<number> {
  const call = client['StreamWrite']!((client as any).metadata);
  const started = performance.now();
  let sent = 0;
  let answered = 0;
  const send = () => {
    while (sent < count && sent - answered < requestsInFlight) call.write({ write: { project, group, batch: batches[sent % batches.length] }, requestId: `${started}-${sent++}` });
  };
  return new Promise((resolve, reject) => {
    call.on('error', reject);
    call.on('data', (reply: { refusal?: { message: string } }) => {
      if (reply.refusal) return reject(new Error(reply.refusal.message));
      answered++;
      if (answered < count) return send();
      call.end();
      resolve((count * rowsPerRequest) / ((performance.now() - started) / 1000));
    });
    send();
  });
}

/** Before these have been written the code of a write is still being compiled: the first hundred take three times as long, and others wait behind them. */
const firstWrites = 2_000;

/** From the start of a write of one row until an online read gives it, with 1,000 such writes a second beside, for a minute. */
async function visible(client: ReturnType<typeof grpcClient>, writes: number): Promise<Row> {
  await writtenUntilVisible(client, firstWrites);
  const { took, perSecond } = await writtenUntilVisible(client, writes);
  const p99 = percentile(took, 0.99);
  const what = `write until visible online, p99, at ${Math.round(perSecond)} single-row writes/s (p50 ${percentile(took, 0.5).toFixed(1)} ms)`;
  return { what, measured: p99, unit: 'ms', target: '100 ms at 1,000/s', reached: p99 <= 100 && perSecond >= 950 };
}

async function writtenUntilVisible(client: ReturnType<typeof grpcClient>, writes: number): Promise<{ took: number[]; perSecond: number }> {
  const took: number[] = [];
  const started = performance.now();
  const writeOne = async (n: number) => {
    const before = performance.now();
    const fromUs = Date.UTC(2027, 0) * 1000 + n;
    const { position } = await callUnary(client, 'WriteOnline', { project, group, batch: batchOf({ rows: 1, entities, first: n % 100, fromUs }) });
    if (n % 20 !== 0) return;
    await readAt(client, `e${n % 100}`, position);
    took.push(performance.now() - before);
  };
  // Counted and not kept: the promises of ten thousand writes would be this client's own garbage to move about.
  let left = writes;
  const { promise: allDone, resolve, reject } = Promise.withResolvers<void>();
  for (let n = 0; n < writes; n++) {
    const due = started + n;
    if (due > performance.now()) await setTimeout(Math.max(1, due - performance.now()));
    writeOne(n).then(() => --left || resolve(), reject);
  }
  await allDone;
  return { took, perSecond: (writes / (performance.now() - started)) * 1000 };
}

function readAt(client: ReturnType<typeof grpcClient>, entity: string, position: string): Promise<unknown> {
  const metadata = (client as any).metadata.clone();
  metadata.set('tarl-min-position', position);
  return new Promise((resolve, reject) => {
    client['ReadOnline']!({ project, features: [group], keys: [{ name: 'entity', strings: [entity] }] }, metadata, (error: Error | null, answer: unknown) => (error ? reject(error) : resolve(answer)));
  });
}

const keysOf = (count: number) => [{ name: 'entity', strings: Array.from({ length: count }, (_, n) => `e${(n * 97) % entities}`) }];
const readRequest = (count: number) => ({ project, features: [group], keys: keysOf(count) });

function serialized(request: object): Buffer {
  const method = (loadSync(proto, { includeDirs: ['proto'] })[service] as Record<string, MethodDefinition<object, object>>)['ReadOnline']!;
  return method.requestSerialize(request);
}

/** The most that there can be, and, apart from it, how long a call takes at the rate that is aimed at: at the most, every call waits for others. */
async function manyEntities(platform: BenchPlatform, scale: number): Promise<Row[]> {
  const read = { ...readOnline(platform), body: grpcFrame(serialized(readRequest(100))), connections: 2 };
  const most = await load({ ...read, requests: Math.ceil(10_000 * scale), inFlight: 4 });
  const paced = await load({ ...read, connections: 100, requests: Math.ceil(60 * 1_000 * scale), inFlight: 100, perSecond: 1_000 });
  const what = 'online reads over gRPC, 100 entities × 4 features a call';
  return [
    { what: `${what}, at most`, measured: most.perSecond * 100, unit: 'entities/s', target: '100,000 entities/s', reached: most.perSecond >= 1_000 },
    pacedRow(what, paced, 1_000, 10),
  ];
}

const servedGroups = 5;
const featuresOfGroup = 10;

/** What a model asks for: a service of 50 features over 5 groups. */
async function service50(client: ReturnType<typeof grpcClient>, platform: BenchPlatform, scale: number): Promise<Row> {
  const names = Array.from({ length: featuresOfGroup }, (_, n) => `f${n}`);
  const rows = entities / 10;
  let position = '';
  for (let at = 0; at < servedGroups; at++) {
    const served = `served_${at}`;
    await callUnary(client, 'CreateFeatureGroup', { project, group: served, entities: benchGroup.entities, features: names.map((name) => ({ name, type: 'FEATURE_TYPE_DOUBLE' })) });
    const batch = {
      keys: [{ name: 'entity', strings: Array.from({ length: rows }, (_, n) => `e${n * 10}`) }],
      eventTimeUs: Array.from({ length: rows }, () => Date.UTC(2026, 0) * 1000),
      features: names.map((name, feature) => ({ name, doubles: Array.from({ length: rows }, (_, n) => n * feature + 0.5) })),
    };
    ({ position } = await callUnary(client, 'WriteOnline', { project, group: served, batch }));
  }
  await callUnary(client, 'CreateFeatureService', { project, service: 'model', fullNames: true, features: Array.from({ length: servedGroups }, (_, at) => `served_${at}`) });
  await readAt(client, 'e0', position);
  const keys = [{ name: 'entity', strings: Array.from({ length: 100 }, (_, n) => `e${((n * 97) % rows) * 10}`) }];
  const paced = await load({ ...readOnline(platform), body: grpcFrame(serialized({ project, service: 'model', keys })), connections: 100, requests: Math.ceil(60 * 500 * scale), inFlight: 100, perSecond: 500 });
  return pacedRow('online reads of a service of 50 features in 5 groups, 100 entities a call', paced, 500, 20);
}

const readOnline = ({ addresses, key }: BenchPlatform) => ({ url: `http://${addresses.grpc}/${service}/ReadOnline`, headers: { ...grpcHeaders, authorization: `Bearer ${key}` } });

/** The 99th percentile at a rate, over a minute: in less, one collection of old objects, which comes every few minutes, would decide it alone. A rate that was not kept says nothing. */
const pacedRow = (what: string, { perSecond, p50Ms, p99Ms }: LoadResult, rate: number, targetMs: number): Row => ({
  what: `${what}, p99 at ${Math.round(perSecond).toLocaleString('en')} calls/s (p50 ${p50Ms.toFixed(1)} ms)`,
  measured: p99Ms, unit: 'ms', target: `${targetMs} ms at ${rate.toLocaleString('en')} calls/s`, reached: p99Ms <= targetMs && perSecond >= 0.95 * rate,
});

/** One entity on each wire, in turns with a bare server that answers the same bytes. */
async function oneEntity(platform: BenchPlatform, scale: number): Promise<Row[]> {
  const { addresses, key } = platform;
  const client = grpcClient(proto, service, platform);
  const answer = await callUnary(client, 'ReadOnline', readRequest(1));
  const method = (loadSync(proto, { includeDirs: ['proto'] })[service] as Record<string, MethodDefinition<object, object>>)['ReadOnline']!;
  const bytes = method.responseSerialize(answer as object);
  const json = { 'content-type': 'application/json' };
  const auth = { authorization: `Bearer ${key}` };
  const restUrl = `${addresses.rest}/api/v1/projects/${project}/features:readOnline`;
  const restBody = Buffer.from(JSON.stringify({ features: [group], entities: [{ entity: 'e7' }] }));
  const restAnswer = await (await fetch(restUrl, { method: 'POST', headers: { ...json, ...auth }, body: restBody })).text();
  const wires = [
    { wire: 'gRPC', bare: 'grpc', constant: [bytes.toString('base64'), `/${service}/ReadOnline`], path: `/${service}/ReadOnline`, url: `http://${addresses.grpc}/${service}/ReadOnline`, headers: grpcHeaders, body: grpcFrame(serialized(readRequest(1))), http1: false },
    { wire: 'REST', bare: 'rest', constant: [restAnswer], path: '/', url: restUrl, headers: json, body: restBody, http1: true },
    graphqlRead(addresses.graphql),
  ];
  const rows: Row[] = [];
  for (const { wire, bare, constant, path, url, headers, body, http1 } of wires) {
    const stub = spawn(process.execPath, [fileURLToPath(new URL('./support/stub.js', import.meta.url)), bare, ...constant], { stdio: ['pipe', 'pipe', 'inherit'] });
    const [port] = (await once(stub.stdout, 'data')) as [Buffer];
    const shape = { body, requests: Math.ceil(20_000 * scale), connections: http1 ? 32 : 4, inFlight: 8, http1 };
    const { measured, limit, ratio } = await inTurns(
      5,
      async () => (await load({ ...shape, url, headers: { ...headers, ...auth } })).perSecond,
      async () => (await load({ ...shape, url: `http://127.0.0.1:${Number(port)}${path}`, headers })).perSecond,
    );
    stub.kill();
    rows.push({ what: `online read of one entity over ${wire}`, measured, unit: '/s', limit: { what: `/s bare ${bare === 'grpc' ? 'grpc-js' : bare === 'rest' ? 'Fastify' : 'Mercurius'}`, measured: limit }, ratio, target: '0.5 of bare', reached: ratio >= 0.5 });
  }
  return rows;
}

/** The GraphQL read; the bare server answers the same field from a constant. */
function graphqlRead(url: string) {
  const query = `{ onlineFeatures(project: "${project}", features: ["${group}"], entity: {entity: "e7"}) { entity values statuses } }`;
  const schema = 'scalar JSON type Row { entity: JSON! values: JSON! statuses: JSON! } type Query { onlineFeatures(project: String!, features: [String!]!, entity: JSON!): Row }';
  const present = { amount: 'PRESENT', count: 'PRESENT', city: 'PRESENT', flag: 'PRESENT' };
  const answer = { entity: { entity: 'e7' }, values: { amount: 1.5, count: 7, city: 'Lagos', flag: false }, statuses: present };
  return { wire: 'GraphQL', bare: 'graphql', constant: [JSON.stringify({ schema, field: 'onlineFeatures', answer })], path: '/graphql', url, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify({ query })), http1: true };
}

const idleMemory = (measured: number): Row => ({ what: 'idle memory of all processes', measured, unit: 'MiB', target: 'under 500 MiB', reached: measured < 500 });
