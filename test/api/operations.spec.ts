import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { credentials, loadPackageDefinition, Metadata } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { until } from '../support/until.js';
import { testApi, type TestApi } from './support/clients.js';

let served: TestApi;
beforeAll(async () => {
  served = await testApi({ readyLagMs: 1000 });
});
afterAll(() => served.close());
beforeEach(() => {
  served.log.length = 0;
});

const open = { authorization: '' };
const resolve = createRequire(import.meta.url).resolve;

describe('health', () => {
  test('whoever asks is told that the platform lives and is ready', async () => {
    expect((await served.rest('GET', '/health/live', undefined, open)).answer).toEqual({ live: true });
    expect(await served.rest('GET', '/health/ready', undefined, open)).toMatchObject({ status: 200, answer: { ready: true } });
  });

  test('a view that is behind or fails, or a store that is gone, makes it not ready and says why', async () => {
    const status = served.core.viewStatus;
    const asked = async () => served.rest('GET', '/health/ready', undefined, open);
    served.core.viewStatus = { ...status, lagMs: 4200 };
    expect(await asked()).toMatchObject({ status: 503, answer: { ready: false, checks: { projections: { ok: false, reason: 'projects is 4.2 s behind' } } } });
    served.core.viewStatus = { ...status, state: 'failing', error: 'column is missing' };
    expect(await asked()).toMatchObject({ status: 503, answer: { checks: { projections: { reason: 'projects fails: column is missing' } } } });
    served.core.viewStatus = status;
    const { endOfLog } = served.core.eventStore;
    (served.core.eventStore as any).endOfLog = async () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.7:2113'));
    expect(await asked()).toMatchObject({ status: 503, answer: { checks: { eventStore: { ok: false, reason: 'The event store cannot be reached' }, postgres: { ok: true } } } });
    (served.core.eventStore as any).endOfLog = endOfLog;
  });

  test('a view with parked keys leaves it ready, with a warning', async () => {
    const status = served.core.viewStatus;
    served.core.viewStatus = { ...status, parkedKeys: 2, differingRows: 3 };
    expect(await served.rest('GET', '/health/ready', undefined, open)).toMatchObject({ status: 200, answer: { ready: true, checks: { projections: { ok: true, warning: 'projects has 2 parked keys' } } } });
    expect((await served.rest('GET', '/metrics')).answer).toMatch(/tarl_projection_differing_rows\{view="projects"\} 3/);
    expect((await served.rest('GET', '/metrics')).answer).toMatch(/tarl_projection_parked_keys\{view="projects"\} 2/);
    served.core.viewStatus = status;
  });

  test('gRPC serves the standard health service, without a key', async () => {
    const folder = join(dirname(resolve('grpc-health-check/package.json')), 'proto');
    const { grpc } = loadPackageDefinition(loadSync('health/v1/health.proto', { includeDirs: [folder], enums: String })) as any;
    const client = new grpc.health.v1.Health(served.api.addresses.grpc, credentials.createInsecure());
    for (const service of ['', 'tarl.projects.v1.Projects']) {
      expect(await new Promise((done) => client.check({ service }, (error: Error, answer: unknown) => done(error ?? answer)))).toEqual({ status: 'SERVING' });
    }
    const told: string[] = [];
    const watch = client.watch({ service: 'tarl.projects.v1.Projects' }).on('data', ({ status }: { status: string }) => told.push(status)).on('error', () => undefined);
    const { viewStatus } = served.core;
    served.core.viewStatus = { ...viewStatus, lagMs: 4200 };
    await until('it says that the platform is not ready', () => told.at(-1) === 'NOT_SERVING');
    served.core.viewStatus = viewStatus;
    await until('it serves again', () => told.at(-1) === 'SERVING');
    watch.cancel();
    client.close();
  });
});

describe('metrics', () => {
  test('count requests by wire, operation and code, and tell each view’s lag', async () => {
    await served.rest('GET', '/api/v1/projects/nobody');
    await served.grpc('ListProjects', {});
    const { answer, headers } = await served.rest('GET', '/metrics');
    expect(headers!['content-type']).toContain('text/plain');
    expect(answer).toMatch(/tarl_request_duration_seconds_count\{wire="rest",operation="GetProject",code="NOT_FOUND"\} 1/);
    expect(answer).toMatch(/tarl_request_duration_seconds_count\{wire="grpc",operation="ListProjects",code="OK"\} 1/);
    expect(answer).toMatch(/tarl_projection_lag_seconds\{view="projects"\} 0/);
    expect(answer).toMatch(/process_resident_memory_bytes \d+/);
  });

  test('are given even when the views cannot say how far they are, and the log says why', async () => {
    const { status } = served.core.projections;
    (served.core.projections as any).status = async () => Promise.reject(new Error('no Postgres'));
    const { answer } = await served.rest('GET', '/metrics');
    (served.core.projections as any).status = status;
    expect(answer).toContain('tarl_request_duration_seconds_count');
    expect(answer).not.toContain('view="projects"');
    expect(served.log).toEqual([expect.objectContaining({ level: 40, err: expect.objectContaining({ message: 'no Postgres' }) })]);
  });

  test('tell of each job what stands in its queue, and leave it out when the queues cannot be reached', async () => {
    const { counts } = served.core.jobs;
    (served.core.jobs as any).counts = async () => [{ name: 'compare-projections', waiting: 3, active: 1, delayed: 2, failed: 4 }];
    expect((await served.rest('GET', '/metrics')).answer).toMatch(/tarl_jobs\{job="compare-projections",state="waiting"\} 3\n.*state="active"\} 1\n.*state="delayed"\} 2\n.*state="failed"\} 4\n/);
    (served.core.jobs as any).counts = async () => Promise.reject(new Error('no Redis'));
    const { answer } = await served.rest('GET', '/metrics');
    (served.core.jobs as any).counts = counts;
    expect(answer).toContain('tarl_projection_lag_seconds{view="projects"}');
    expect(answer).not.toContain('tarl_jobs{');
    expect(served.log).toEqual([expect.objectContaining({ level: 40, msg: 'What waits in the queues is not known', err: expect.objectContaining({ message: 'no Redis' }) })]);
  });

  test('need a key', async () => {
    expect(await served.rest('GET', '/metrics', undefined, open)).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer realm="TARL"' } });
    expect(await served.rest('GET', '/metrics', undefined, { authorization: 'Bearer reader-key' })).toMatchObject({ status: 403 });
  });
});

describe('the log', () => {
  test('has one line for a request that fails, none for one that does not', async () => {
    await served.rest('GET', '/api/v1/projects');
    expect(served.log).toEqual([]);
    const { traceId } = await served.rest('GET', '/api/v1/projects/nobody');
    expect(served.log).toEqual([expect.objectContaining({ level: 30, wire: 'rest', operation: 'GetProject', code: 'NOT_FOUND', reason: 'PROJECT_NOT_FOUND', traceId, msg: 'request refused' })]);
  });

  test('never holds a key', async () => {
    const secret = 'tarl_abcdefgh_secretsecretsecret';
    for (const headers of [{ authorization: `Bearer ${secret}` }, { authorization: '', 'x-api-key': secret }] as Record<string, string>[]) {
      await served.rest('POST', '/api/v1/projects', '{', headers);
      await served.grpc('GetProject', { project: 'any' }, headers);
      await served.graphql('{ projects { nodes { project } } }', {}, headers);
    }
    expect(served.log.length).toBe(6);
    expect(JSON.stringify(served.log)).not.toContain('secret');
  });
});

describe('documentation', () => {
  const asBrowser = { authorization: `Basic ${Buffer.from('me:owner-key').toString('base64')}` };

  test('a browser that opens the page is asked for the key, and then gets all of it from here', async () => {
    expect(await served.rest('GET', '/docs', undefined, open)).toMatchObject({ status: 401, headers: { 'www-authenticate': expect.stringMatching(/^Basic /) } });
    const { answer: page } = await served.rest('GET', '/docs', undefined, asBrowser);
    const parts = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address);
    expect(parts.length).toBeGreaterThan(2);
    for (const part of parts) expect(await served.rest('GET', part, undefined, asBrowser)).toMatchObject({ code: 'OK' });
    expect((await served.rest('GET', '/openapi.json', undefined, asBrowser)).answer).toMatchObject({ openapi: '3.1.0', paths: { '/api/v1/projects/{project}:archive': expect.anything() } });
    expect(await served.rest('GET', '/docs/package.json', undefined, asBrowser)).toMatchObject({ status: 404 });
  });

  test('a browser’s password opens nothing else', async () => {
    expect(await served.rest('GET', '/api/v1/projects', undefined, asBrowser)).toMatchObject({ status: 401 });
  });
});

test('gRPC reflection lists the services and gives their files, to whoever has a key', async () => {
  const folder = join(dirname(resolve('@grpc/reflection/package.json')), 'build/proto');
  const { grpc } = loadPackageDefinition(loadSync('grpc/reflection/v1/reflection.proto', { includeDirs: [folder] })) as any;
  const client = new grpc.reflection.v1.ServerReflection(served.api.addresses.grpc, credentials.createInsecure());
  const asked = (message: object, key: string) =>
    new Promise<any>((done) => {
      const metadata = new Metadata();
      metadata.set('authorization', `Bearer ${key}`);
      const call = client.ServerReflectionInfo(metadata);
      call.on('data', (answer: unknown) => (done(answer), call.end())).on('error', done);
      call.write(message);
    });
  const { listServicesResponse } = await asked({ listServices: '' }, 'owner-key');
  expect(listServicesResponse.service.map(({ name }: { name: string }) => name)).toContain('tarl.projects.v1.Projects');
  const { fileDescriptorResponse } = await asked({ fileContainingSymbol: 'tarl.projects.v1.Projects' }, 'owner-key');
  expect(fileDescriptorResponse.fileDescriptorProto.length).toBeGreaterThan(0);
  expect(await asked({ listServices: '' }, 'wrong')).toMatchObject({ code: 16 });
  client.close();
});
