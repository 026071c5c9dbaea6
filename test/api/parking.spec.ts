import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { credentials, loadPackageDefinition, type Client } from '@grpc/grpc-js';
import type { ParkedKey } from '../../src/api/core.js';
import { loadProtos } from '../../src/api/grpc/protos.js';
import { callGrpc, testApi, type TestApi } from './support/clients.js';

const parked: ParkedKey = {
  view: 'projects', key: 'fraud', error: 'cannot be shown', attempts: 5, waiting: 2, parkedAt: '2026-01-01T00:00:00.000Z',
  event: { id: '6b6f5a52-2c38-4d3e-9d1c-6a2f0e6f0b11', type: 'ProjectDescribed', stream: 'project-fraud', revision: '1', position: '200' },
};
const tried: [view: string, choice: object][] = [];
let served: TestApi;
let client: Client;
beforeAll(async () => {
  served = await testApi();
  const loaded = loadPackageDefinition(loadProtos(['tarl/projections/v1/projections.proto'])) as any;
  client = new loaded.tarl.projections.v1.Projections(served.api.addresses.grpc, credentials.createInsecure());
  Object.assign(served.core.projections, {
    parked: async ({ key }: { key?: string } = {}) => (key === undefined || key === parked.key ? [parked] : key === 'later' ? [{ ...parked, key, error: undefined }] : []),
    retryParked: async (view: string, choice: object) => (tried.push([view, choice]), { taken: 3, left: 0 }),
  });
});
afterAll(async () => {
  client.close();
  await served.close();
});

describe('a query of a view with parked keys', () => {
  test('says so in a header, over every wire', async () => {
    const status = served.core.viewStatus;
    served.core.viewStatus = { ...status, parkedKeys: 2 };
    expect((await served.rest('GET', '/api/v1/projects')).headers).toMatchObject({ 'tarl-parked-keys': 'projects=2' });
    expect((await served.grpc('ListProjects', {})).headers).toMatchObject({ 'tarl-parked-keys': 'projects=2' });
    expect((await served.graphql('{ projects { nodes { project } } }')).headers).toMatchObject({ 'tarl-parked-keys': 'projects=2' });
    served.core.viewStatus = status;
    expect((await served.rest('GET', '/api/v1/projects')).headers).not.toHaveProperty('tarl-parked-keys');
  });
});

describe('parked keys', () => {
  test('are listed for one view or all', async () => {
    for (const view of ['projects', '-']) expect((await served.rest('GET', `/api/v1/projections/${view}/parked`)).answer).toEqual({ parked: [parked] });
  });

  test('are tried again, all or one', async () => {
    expect(await served.rest('POST', '/api/v1/projections/projects:retry')).toMatchObject({ status: 200, answer: { taken: 3, left: 0 } });
    await served.rest('POST', '/api/v1/projections/projects:retry', { key: 'fraud' });
    expect(tried.splice(0)).toEqual([['projects', {}], ['projects', { key: 'fraud' }]]);
    expect(await served.rest('POST', '/api/v1/projections/projects:retry', { key: 'other' })).toMatchObject({ status: 404, reason: 'KEY_NOT_PARKED' });
  });

  test('go on without an event only for a reason, which the log keeps with who gave it before it takes effect', async () => {
    expect(await served.rest('POST', '/api/v1/projections/projects:skip', { key: 'fraud' })).toMatchObject({ status: 400, fields: [expect.objectContaining({ field: 'reason' })] });
    expect(served.core.events).toEqual([]);
    expect(await served.rest('POST', '/api/v1/projections/projects:skip', { key: 'fraud', reason: 'Written by a test' })).toMatchObject({ status: 200, answer: { taken: 3 } });
    const { id, type, stream, position } = parked.event;
    expect(served.core.events).toEqual([
      expect.objectContaining({
        stream: 'projection-projects',
        type: 'ParkedEventSkipped',
        data: { view: 'projects', key: 'fraud', event: { id, type, stream, position }, error: 'cannot be shown', reason: 'Written by a test' },
        metadata: expect.objectContaining({ actor: 'key:owner-key', version: 1 }),
      }),
    ]);
    expect(tried.splice(0)).toEqual([['projects', { key: 'fraud', skip: id }]]);
  });

  test('are listed, tried again and skipped over gRPC and GraphQL as well', async () => {
    expect((await callGrpc(client, 'ListParkedKeys', { view: '-' })).answer).toMatchObject({ parked: [{ key: 'fraud', waiting: '2', event: parked.event }] });
    expect((await served.graphql('{ parkedKeys(view: "projects") { parked { key error waiting event { stream } } } }')).answer).toEqual({ parkedKeys: { parked: [{ key: 'fraud', error: 'cannot be shown', waiting: 2, event: { stream: 'project-fraud' } }] } });
    expect((await callGrpc(client, 'RetryParkedEvents', { view: 'projects', key: 'fraud' })).answer).toEqual({ taken: '3', left: '0' });
    expect((await served.graphql('mutation { retryParkedEvents(input: { view: "projects" }) { taken left } }')).answer).toEqual({ retryParkedEvents: { taken: 3, left: 0 } });
    expect(await callGrpc(client, 'SkipParkedEvent', { view: 'projects', key: 'fraud' })).toMatchObject({ code: 'INVALID_ARGUMENT', fields: [expect.objectContaining({ field: 'reason' })] });
    const before = served.core.events.length;
    expect((await callGrpc(client, 'SkipParkedEvent', { view: 'projects', key: 'fraud', reason: 'over gRPC' })).answer).toMatchObject({ taken: '3' });
    expect((await served.graphql('mutation { skipParkedEvent(input: { view: "projects", key: "fraud", reason: "over GraphQL" }) { taken } }')).answer).toEqual({ skipParkedEvent: { taken: 3 } });
    expect(served.core.events.slice(before).map(({ data }) => (data as { reason: string }).reason)).toEqual(['over gRPC', 'over GraphQL']);
    const { id } = parked.event;
    expect(tried.splice(0)).toEqual([['projects', { key: 'fraud' }], ['projects', {}], ['projects', { key: 'fraud', skip: id }], ['projects', { key: 'fraud', skip: id }]]);
  });

  test('that only wait for another key cannot be skipped', async () => {
    expect(await served.rest('POST', '/api/v1/projections/projects:skip', { key: 'later', reason: 'x' })).toMatchObject({ status: 412 });
  });

  test('are nothing for a key without the permission', async () => {
    const reader = { authorization: 'Bearer reader-key' };
    expect(await served.rest('GET', '/api/v1/projections/projects/parked', undefined, reader)).toMatchObject({ status: 403 });
    expect(await served.rest('POST', '/api/v1/projections/projects:retry', {}, reader)).toMatchObject({ status: 403 });
    expect(await served.rest('POST', '/api/v1/projections/projects:skip', { key: 'fraud', reason: 'x' }, reader)).toMatchObject({ status: 403 });
    expect(tried).toEqual([]);
  });
});
