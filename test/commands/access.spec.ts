import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { KeyGuard } from '../../src/commands/access.js';
import { Aggregates } from '../../src/commands/kit/aggregates.js';
import { connect } from '../../src/platform/eventstore/index.js';
import type { EventStore } from '../../src/platform/eventstore/port.js';
import { testEventStore } from '../support/eventstore.js';

let server: Awaited<ReturnType<typeof testEventStore>>;
let eventStore: EventStore;
let ownerKey: string;
const guardOf = (localKey?: string) => new KeyGuard(eventStore, new Aggregates(eventStore), localKey);

beforeAll(async () => {
  server = await testEventStore();
  eventStore = connect(server.url);
  ownerKey = (await guardOf().issueFirstOwnerKey())!;
});
afterAll(async () => {
  await eventStore.close();
  await server.close();
});

describe('the owner key', () => {
  test('is issued by the first start only', async () => {
    expect(ownerKey).toMatch(/^tarl_[0-9a-z]{8}_[0-9A-Za-z_-]{43}$/);
    expect(await guardOf().issueFirstOwnerKey()).toBeUndefined();
  });

  test('opens in every process, for everything', async () => {
    const caller = await guardOf().authenticate(ownerKey);
    expect(caller.actor).toBe(`key:${ownerKey.split('_')[1]}`);
    expect(caller.may('projects.write', 'any')).toBe(true);
  });

  test('stands nowhere in the log, only a hash of its secret', async () => {
    const stored: string[] = [];
    for await (const { data, metadata } of eventStore.readLog()) stored.push(JSON.stringify([data, metadata]));
    expect(stored).toHaveLength(1);
    expect(stored[0]).not.toContain(ownerKey.split('_').slice(2).join('_'));
  });
});

describe('any other key is unknown', () => {
  const secret = 'A'.repeat(43);
  test.each([
    ['another secret', () => `${ownerKey.slice(0, -43)}${secret}`],
    ['another id', () => `tarl_00000000_${ownerKey.slice(-43)}`],
    ['half a key', () => ownerKey.slice(0, 30)],
    ['something else', () => 'Bearer'],
    ['the hash of nothing', () => 'tarl_00000000_'],
    ['the key of another run', () => `tarl_local_${secret}`],
  ])('%s', async (_, key) => {
    await expect(guardOf('tarl_local_of_this_run').authenticate(key())).rejects.toMatchObject({ code: 'UNAUTHENTICATED', details: { reason: 'UNKNOWN_API_KEY' } });
  });

  test('and none at all is asked for', async () => {
    await expect(guardOf().authenticate(undefined)).rejects.toMatchObject({ code: 'UNAUTHENTICATED', details: { reason: 'MISSING_API_KEY' } });
  });
});

test('the key of this run opens while it runs', async () => {
  expect(await guardOf('tarl_local_x').authenticate('tarl_local_x')).toMatchObject({ actor: 'local' });
});

describe('a key that was proven before', () => {
  test.each([['of the owner', () => ownerKey], ['of this run', () => 'tarl_local_x']])('%s is known at once', async (_, key) => {
    const guard = guardOf('tarl_local_x');
    const first = await guard.authenticate(key());
    expect(guard.authenticate(key())).toBe(first);
  });

  test('is proven again where another hash is held for its id by now', async () => {
    const aggregates = new Aggregates(eventStore);
    const guard = new KeyGuard(eventStore, aggregates);
    await guard.authenticate(ownerKey);
    const held = aggregates.cached<ReadonlyMap<string, string>>('access-owner')!;
    const another = new Map([...held.state].map(([id, hash]) => [id, [...hash].reverse().join('')]));
    aggregates.cached = <State>() => ({ ...held, state: another as State });
    await expect(guard.authenticate(ownerKey)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});
