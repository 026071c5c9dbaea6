import type { Client } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { callGrpc, callRest, grpcClient } from './support/clients.js';
import { testPlatform, type TestPlatform } from './support/platform.js';

let platform: TestPlatform;
let projectsClient: Client;
beforeAll(async () => {
  platform = await testPlatform();
  projectsClient = grpcClient(platform.addresses.grpc);
});
afterAll(async () => {
  projectsClient.close();
  await platform.close();
});

let projects = 0;
/** A project that has ended, with a group that holds the card 1 and is shared with another project. */
async function endedProject(): Promise<string> {
  const project = `ended_${++projects}`;
  for (const name of [project, `${project}_partner`]) await platform.rest('/api/v1/projects', { project: name });
  await platform.rest(`/api/v1/projects/${project}/feature-groups`, { group: 'cards', entities: [{ name: 'id', type: 'INT64' }], features: [{ name: 'amount', type: 'DOUBLE', constraints: { min: 0 } }] });
  await platform.rest(`/api/v1/projects/${project}/feature-groups/cards:share`, { withProject: `${project}_partner` });
  expect(await write(project)).toMatchObject({ code: 'OK' });
  expect(await write(project, { quarantine: true }, -1)).toMatchObject({ answer: { rowsQuarantined: 1 } });
  expect(await platform.rest(`/api/v1/projects/${project}:archive`, { reason: 'over' })).toMatchObject({ code: 'OK' });
  return project;
}
const write = (project: string, how: object = {}, amount = 3) =>
  platform.rest(`/api/v1/projects/${project}/feature-groups/cards:write`, { ...how, rows: [{ entity: { id: 1 }, eventTime: '2026-01-01T00:00:00Z', values: { amount } }] });
const statusOf = async (project: string, position: string) =>
  (await platform.rest(`/api/v1/projects/${project}/features:readOnline`, { features: ['cards:amount'], entities: [{ id: 1 }] }, { 'tarl-min-position': position })).answer.rows[0].statuses.amount;

describe('in a project that has ended', () => {
  const deletions: Record<string, (project: string) => Promise<{ code: string; answer?: any }>> = {
    REST: (project) => platform.rest(`/api/v1/projects/${project}/feature-groups/cards:deleteEntity`, { entity: { id: 1 } }),
    gRPC: (project) => platform.grpc('DeleteFeatureEntity', { project, group: 'cards', entity: { id: 1 } }),
    GraphQL: async (project) => {
      const { answer, ...rest } = await platform.graphql('mutation ($input: DeleteFeatureEntityInput!) { deleteFeatureEntity(input: $input) { position } }', { input: { project, group: 'cards', entity: { id: 1 } } });
      return { ...rest, answer: answer.deleteFeatureEntity };
    },
  };
  test.each(Object.keys(deletions))('an entity can still be deleted over %s, because everything stays readable', async (wire) => {
    const project = await endedProject();
    const deleted = await deletions[wire]!(project);
    expect(deleted).toMatchObject({ code: 'OK' });
    expect(await statusOf(project, deleted.answer.position)).toBe('NOT_FOUND');
    expect(await write(project)).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'PROJECT_ARCHIVED' });
  });

  test('what another project may read can be taken back, and nothing given', async () => {
    const project = await endedProject();
    const call = (verb: string) => platform.rest(`/api/v1/projects/${project}/feature-groups/cards:${verb}`, { withProject: `${project}_partner` });
    expect(await call('unshare')).toMatchObject({ code: 'OK', answer: { changed: true } });
    expect(await call('share')).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'PROJECT_ARCHIVED' });
  });

  test('a refused row can be given up, and not be mended', async () => {
    const project = await endedProject();
    const rows = `/api/v1/projects/${project}/quarantined-rows`;
    const [{ id }] = (await callRest(platform.addresses.rest, 'GET', rows)).answer.quarantinedRows;
    expect(await platform.rest(`${rows}/${id}:mend`, { values: { amount: 1 } })).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'PROJECT_ARCHIVED' });
    expect(await platform.rest(`${rows}:discard`, { ids: [id], reason: 'asked to' })).toMatchObject({ code: 'OK', answer: { discarded: 1 } });
  });
});

describe('a project that is taken back', () => {
  const call = (project: string, verb: string) => platform.rest(`/api/v1/projects/${project}:${verb}`, { reason: 'it goes on' });

  test.each(['REST', 'gRPC', 'GraphQL'])('over %s changes again, with all that was in it', async (wire) => {
    const project = await endedProject();
    const input = { project, reason: 'it goes on' };
    if (wire === 'REST') expect(await call(project, 'unarchive')).toMatchObject({ code: 'OK', answer: { changed: true } });
    if (wire === 'gRPC') expect(await callGrpc(projectsClient, 'UnarchiveProject', input)).toMatchObject({ code: 'OK', answer: { changed: true } });
    if (wire === 'GraphQL') expect(await platform.graphql('mutation ($input: UnarchiveProjectInput!) { unarchiveProject(input: $input) { changed } }', { input })).toMatchObject({ code: 'OK', answer: { unarchiveProject: { changed: true } } });
    const written = await write(project);
    expect(written).toMatchObject({ code: 'OK' });
    expect(await statusOf(project, written.answer.position)).toBe('PRESENT');
    expect((await call(project, 'unarchive')).answer).toMatchObject({ changed: false });
    expect(await call(project, 'archive')).toMatchObject({ code: 'OK', answer: { changed: true } });
    expect(await write(project)).toMatchObject({ reason: 'PROJECT_ARCHIVED' });
  });

  test('is shown so, and as archived as of the time when it was', async () => {
    const project = await endedProject();
    const archived = async (position: string, asOf?: string) => (await callRest(platform.addresses.rest, 'GET', `/api/v1/projects/${project}${asOf === undefined ? '' : `?asOf=${asOf}`}`, undefined, { 'tarl-min-position': position })).answer.archived;
    const ended = (await call(project, 'archive')).answer.position;
    const back = (await call(project, 'unarchive')).answer.position;
    expect([await archived(back), await archived(back, ended)]).toEqual([false, true]);
  });

  test('and was never there is not found', async () => {
    expect(await call('never', 'unarchive')).toMatchObject({ code: 'NOT_FOUND', reason: 'PROJECT_NOT_FOUND' });
  });
});
