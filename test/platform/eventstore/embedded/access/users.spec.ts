import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Users } from '../../../../../src/platform/eventstore/embedded/access/users.js';
import { EventStore } from '../../../../../src/platform/eventstore/embedded/store/event-store.js';

let store: EventStore;
let users: Users;

beforeEach(async () => {
  store = await EventStore.open(undefined);
  users = await Users.of(store);
});
afterEach(() => store.close());

test.each(['changeit', 'wrong'])('a hundred calls at once with the same password, %s, have it hashed once: that takes long by intent', async (password) => {
  const calls = Array.from({ length: 100 }, () => users.logIn('admin', password));
  expect(new Set(calls).size).toBe(1);
  await Promise.all(calls);
  expect(users.logIn('admin', password)).toBe(calls[0]);
});

test('a password that was wrong is right as soon as it is made so, and the one before it is not, even while both are being checked', async () => {
  expect(await users.logIn('admin', 'next')).toBeUndefined();
  const [before] = await Promise.all([users.logIn('admin', 'changeit'), users.change('admin', {}, 'next')]);
  expect([undefined, 'admin']).toContain(before?.login);
  expect(await users.logIn('admin', 'changeit')).toBeUndefined();
  expect(await users.logIn('admin', 'next')).toMatchObject({ login: 'admin', groups: ['$admins'] });
});
