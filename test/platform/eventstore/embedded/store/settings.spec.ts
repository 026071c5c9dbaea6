import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { jsonEvent, persistentSubscriptionToAllSettingsFromDefaults, persistentSubscriptionToStreamSettingsFromDefaults, START } from '@eventstore/db-client';
import { Users } from '../../../../../src/platform/eventstore/embedded/access/users.js';
import { EventStore } from '../../../../../src/platform/eventstore/embedded/store/event-store.js';
import { temporaryFolder, withNode } from '../filled.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

const event = () => jsonEvent({ type: 'T', data: {} });
const long = (letter: string) => letter.repeat(3_000);

test('groups of readers whose names no key of the data file could hold work, stop nobody from writing, and are there after a restart', async () => {
  const groups = [[long('s'), 'g'], ['t', long('g')], ['t', `${long('g')}2`]] as const;
  await withNode({ dir: folder.path }, async (client) => {
    for (const [stream, group] of groups) {
      await client.createPersistentSubscriptionToStream(stream, group, persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: START, checkPointLowerBound: 1, checkPointAfter: 1 }));
    }
    await client.createPersistentSubscriptionToAll(long('h'), persistentSubscriptionToAllSettingsFromDefaults());
    for (const stream of [long('s'), 't']) await client.appendToStream(stream, [event(), event()]);
    for (const [stream, group] of groups) {
      const reader = client.subscribeToPersistentSubscriptionToStream(stream, group);
      for await (const received of reader) {
        await reader.ack(received);
        if (received.event!.revision === 1n) break;
      }
    }
  });
  await withNode({ dir: folder.path }, async (client) => {
    await client.appendToStream('t', event());
    const listed = await client.listAllPersistentSubscriptions();
    expect(listed.map(({ eventSource, groupName }) => [eventSource, groupName])).toEqual(expect.arrayContaining([...groups.map((group) => [...group]), ['$all', long('h')]]));
    for (const [stream, group] of groups) await client.deletePersistentSubscriptionToStream(stream, group);
    expect(await client.listAllPersistentSubscriptions()).toHaveLength(1);
  });
});

test('a user of a long name logs in, before and after a restart, and is deleted', async () => {
  const opened = async (use: (users: Users) => Promise<void>) => {
    const store = await EventStore.open(folder.path);
    await use(await Users.of(store));
    await store.close();
  };
  await opened((users) => users.create({ login: long('ü'), fullName: '', groups: [] }, 'secret'));
  await opened(async (users) => {
    expect(await users.logIn(long('ü'), 'secret')).toMatchObject({ login: long('ü') });
    await users.remove(long('ü'));
    expect(users.all().map(({ login }) => login)).toEqual(['admin', 'ops']);
  });
});

test('groups are there after a restart whatever their names begin with', async () => {
  const names = ['😀', '\uffff\uffff', '\u0001', '#', '~', '::', 'a/b'];
  await withNode({ dir: folder.path }, async (client) => {
    for (const name of names) await client.createPersistentSubscriptionToStream(name, name, persistentSubscriptionToStreamSettingsFromDefaults());
  });
  await withNode({ dir: folder.path }, async (client) => {
    expect((await client.listAllPersistentSubscriptions()).map(({ eventSource }) => eventSource).sort()).toEqual([...names].sort());
  });
});
