import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { makePool } from '../../src/platform/postgres/pool.js';
import { testPlatform, type TestPlatform } from './support/platform.js';
import { callRest, type Outcome } from './support/clients.js';

let platform: TestPlatform;
let operator: ReturnType<typeof makePool>;
beforeAll(async () => {
  platform = await testPlatform();
  operator = makePool(platform.postgresUrl, { max: 1 });
  expect((await platform.rest('/api/v1/projects', { project: 'shop' })).code).toBe('OK');
  const created = await platform.rest('/api/v1/projects/shop/feature-groups', { group: 'cards', entities: [{ name: 'card', type: 'STRING' }], features: [{ name: 'amount', type: 'DOUBLE' }] });
  expect(created.code).toBe('OK');
  expect((await read.rest!({ 'tarl-min-position': created.answer.position })).code).toBe('OK');
});
afterAll(async () => {
  await operator.end();
  await platform.close();
});

const entities = [{ card: 'c1' }];
const read: Record<string, (headers?: Record<string, string>) => Promise<Outcome>> = {
  rest: (headers) => platform.rest('/api/v1/projects/shop/features:readOnline', { features: ['cards:amount'], entities }, headers),
  grpc: () => platform.grpc('ReadOnline', { project: 'shop', features: ['cards:amount'], entities: [{ key: entities[0] }] }),
  graphql: () => platform.graphql('{ readOnline(project: "shop", features: ["cards:amount"], entities: [{ card: "c1" }]) { entity } }'),
};
const list: typeof read = {
  rest: () => callRest(platform.addresses.rest, 'GET', '/api/v1/projects/shop/feature-groups'),
  grpc: () => platform.grpc('ListFeatureGroups', { project: 'shop' }),
  graphql: () => platform.graphql('{ featureGroups(project: "shop") { nodes { group } } }'),
};

/** Ends all of the platform's sessions; the platform hears of it when its sockets do. */
const endSessions = () => operator.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()');

test.each(Object.keys(read))('over %s no read fails because the sessions of the read models were ended', async (wire) => {
  const ask = async () => (await Promise.all([read[wire]!(), list[wire]!(), read[wire]!(), list[wire]!()])).map(({ code }) => code);
  for (let round = 0; round < 5; round++) {
    const ended = endSessions();
    for (let more = 0; more < 3; more++) expect(await ask()).toEqual(['OK', 'OK', 'OK', 'OK']);
    await ended;
  }
});
