import { credentials, loadPackageDefinition, type Client } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { loadProtos } from '../../src/api/grpc/protos.js';
import { connect, type EventStore } from '../../src/platform/eventstore/index.js';
import { callGrpc, type Outcome } from './support/clients.js';
import { testPlatform, type TestPlatform } from './support/platform.js';

let platform: TestPlatform;
let eventStore: EventStore;
let projects: Client;
beforeAll(async () => {
  platform = await testPlatform();
  eventStore = connect(platform.eventStoreUrl);
  const loaded = loadPackageDefinition(loadProtos(['tarl/projects/v1/projects.proto'])) as any;
  projects = new loaded.tarl.projects.v1.Projects(platform.addresses.grpc, credentials.createInsecure());
});
afterAll(async () => {
  projects.close();
  await eventStore.close();
  await platform.close();
});

/** The same command over each wire. */
const describeProject: Readonly<Record<string, (input: { project: string; description: string }) => Promise<Outcome>>> = {
  rest: ({ project, ...body }) => platform.rest(`/api/v1/projects/${project}:describe`, body),
  grpc: (input) => callGrpc(projects, 'DescribeProject', input),
  graphql: (input) => platform.graphql('mutation($input: DescribeProjectInput!) { describeProject(input: $input) { changed } }', { input }),
};

/** Puts an event into a stream as another program or another release might. */
const put = (stream: string, type: string, data: unknown, metadata: Record<string, unknown> = {}) =>
  eventStore.append(stream, [{ id: randomUUID(), type, data, metadata }], { expected: 'any' });

const damages: [what: string, type: string, data: unknown, metadata: Record<string, unknown>, why: RegExp][] = [
  ['of a type that there is not', 'ProjectPainted', { colour: 'red' }, {}, /does not know the type ProjectPainted/],
  ['of a newer version', 'ProjectDescribed', {}, { version: 9 }, /version 9 was written by a newer release/],
  ['of a version that is none', 'ProjectDescribed', {}, { version: 'old' }, /has version NaN, which is none/],
  ['whose data do not fit', 'ProjectDescribed', { project: 7 }, {}, /cannot be decoded: .*project/],
];

let number = 0;

describe.each(damages)('a command on a stream with an event %s', (_what, type, data, metadata, why) => {
  test.each(Object.keys(describeProject))('is refused for good over %s, with the place of the event and what to do, and logged', async (wire) => {
    const project = `p${++number}`;
    await platform.rest('/api/v1/projects', { project });
    await put(`project-${project}`, type, data, metadata);
    const refused = await describeProject[wire]!({ project, description: 'two' });
    expect(refused).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'UNDECODABLE_EVENT' });
    expect(refused.message).toMatch(new RegExp(`^Stream project-${project} cannot be read because of its event 1, at position \\d+: `));
    expect(refused.message).toMatch(why);
    expect(refused.message).toContain(`tarl replay --filter stream=project-${project}`);
    expect(platform.log.filter(({ level, err }) => level === 40 && String((err as { message?: string } | undefined)?.message).includes(`Stream project-${project} `))).toMatchObject([
      { wire, operation: 'DescribeProject', code: 'FAILED_PRECONDITION', reason: 'UNDECODABLE_EVENT' },
    ]);
  });
});

test('a read of the log over such a stream is refused alike', async () => {
  await platform.rest('/api/v1/projects', { project: 'flights' });
  await platform.rest('/api/v1/projects/flights/feature-groups', { group: 'airports', entities: [{ name: 'id', type: 'INT64' }], features: [{ name: 'delay', type: 'INT64' }] });
  await put('feature_group-flights.airports', 'FeatureGroupPainted', {});
  const asked = await platform.rest('/api/v1/projects/flights/features:readAsOf', { features: ['airports'], entities: [{ id: 1 }], at: '2026-01-01T00:00:00Z' });
  expect(asked).toMatchObject({ code: 'FAILED_PRECONDITION', status: 412, reason: 'UNDECODABLE_EVENT' });
});
