import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EventStoreDBClient, jsonEvent, persistentSubscriptionToStreamSettingsFromDefaults, START } from '@eventstore/db-client';
import grpcUsers from '@eventstore/db-client/generated/users_grpc_pb.js';
import users from '@eventstore/db-client/generated/users_pb.js';
import { credentials, Metadata } from '@grpc/grpc-js';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { get } from 'node:https';
import { connect } from '../../../../../src/platform/eventstore/index.js';
import { securedNode, type SecuredNode } from './secured.js';

let secured: SecuredNode;
let admin: EventStoreDBClient;
let usersClient: InstanceType<typeof grpcUsers.UsersClient>;

beforeAll(async () => {
  secured = await securedNode();
  admin = secured.as('admin:changeit');
  usersClient = new grpcUsers.UsersClient(`localhost:${secured.node.port}`, credentials.createSsl(readFileSync(secured.ca)));
  await createUser('ann', 'secret');
  await createUser('bob', 'secret', ['readers']);
});
afterAll(async () => {
  usersClient.close();
  await secured.close();
});

const event = () => jsonEvent({ type: 'T', data: {} });
const aStream = () => `s-${randomUUID()}`;
const read = async (client: EventStoreDBClient, stream: string) => {
  let count = 0;
  for await (const _ of client.readStream(stream)) count++;
  return count;
};
const readAll = async (client: EventStoreDBClient) => {
  let found = 'nothing';
  for await (const _ of client.readAll({ maxCount: 1, fromPosition: START })) found = 'read';
  return found;
};
const denied = { type: 'access-denied' };

function as(login: string): Metadata {
  const metadata = new Metadata();
  metadata.set('authorization', `Basic ${Buffer.from(login).toString('base64')}`);
  return metadata;
}

/** One call of the Users service. */
function callUsers(method: 'create' | 'changePassword' | 'resetPassword' | 'disable' | 'enable' | 'delete', request: object, login = 'admin:changeit'): Promise<void> {
  return new Promise((resolve, reject) => {
    (usersClient[method] as (request: object, metadata: Metadata, done: (error: Error | null) => void) => void).call(usersClient, request, as(login), (error) => (error ? reject(error) : resolve()));
  });
}

async function createUser(login: string, password: string, groups: string[] = []): Promise<void> {
  const options = new users.CreateReq.Options();
  options.setLoginName(login);
  options.setPassword(password);
  options.setGroupsList(groups);
  const request = new users.CreateReq();
  request.setOptions(options);
  await callUsers('create', request);
}

describe('over TLS', () => {
  test('a client whose connection string names a user works as it does elsewhere, batch appends, reads and subscriptions', async () => {
    const stream = aStream();
    const ann = secured.as('ann:secret');
    await ann.appendToStream(stream, [event(), event()]);
    expect(await read(ann, stream)).toBe(2);
    const store = connect(secured.url('ann:secret'));
    await expect(store.append(stream, [{ id: randomUUID(), type: 'T', data: {}, metadata: {} }], { expected: 1n })).resolves.toMatchObject({ revision: 2n });
    await store.close();
  });

  test('the pages are there, and a client that does not know the certificate is not served', async () => {
    const body = await new Promise<string>((resolve, reject) => {
      get({ host: 'localhost', port: secured.node.port, path: '/info', ca: readFileSync(secured.ca) }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve(text));
      }).on('error', reject);
    });
    expect(JSON.parse(body)).toMatchObject({ authentication: { type: 'internal' } });
    const stranger = connect(`esdb://ann:secret@localhost:${secured.node.port}?tls=true`);
    await expect(stranger.health({ deadlineMs: 500 })).rejects.toMatchObject({ name: expect.stringMatching(/Unavailable|Timeout/) });
    await stranger.close();
  });
});

describe('who', () => {
  test('has a wrong password, or none at all, may do nothing', async () => {
    for (const login of ['ann:wrong', 'nobody:secret', undefined]) {
      const client = secured.as(login);
      await expect(read(client, 'any')).rejects.toMatchObject(denied);
      await expect(client.deleteStream('any')).rejects.toMatchObject(denied);
      await expect(client.appendToStream('any', event(), { credentials: login === undefined ? undefined : { username: login.split(':')[0]!, password: login.split(':')[1]! } })).rejects.toMatchObject(denied);
    }
  });

  test('has no rights to a stream of the system, or to all of them, gets neither, but an administrator does', async () => {
    const ann = secured.as('ann:secret');
    await admin.appendToStream('$mine', event());
    await expect(read(ann, '$mine')).rejects.toMatchObject(denied);
    await expect(readAll(ann)).rejects.toMatchObject(denied);
    await expect(readAll(secured.as('ops:changeit'))).rejects.toMatchObject(denied);
    expect([await read(admin, '$mine'), await readAll(admin)]).toEqual([1, 'read']);
  });

  test('is an administrator may not write to the stream of everything either, or delete it: nobody could read it again', async () => {
    await expect(admin.appendToStream('$all', event())).rejects.toMatchObject(denied);
    await expect(admin.appendToStream('$all', event(), { credentials: { username: 'admin', password: 'changeit' } })).rejects.toMatchObject(denied);
    await expect(admin.deleteStream('$all')).rejects.toMatchObject(denied);
    await expect(admin.tombstoneStream('$all')).rejects.toMatchObject(denied);
    await admin.setStreamMetadata('$all', { acl: { readRoles: ['ann'] } });
    expect(await readAll(secured.as('ann:secret'))).toBe('read');
    await admin.setStreamMetadata('$all', {});
  });

  test('has logged in may see how groups of readers stand, but only an operator makes or changes one', async () => {
    const stream = aStream();
    const ann = secured.as('ann:secret');
    const settings = persistentSubscriptionToStreamSettingsFromDefaults();
    await expect(ann.createPersistentSubscriptionToStream(stream, 'g', settings)).rejects.toMatchObject(denied);
    await secured.as('ops:changeit').createPersistentSubscriptionToStream(stream, 'g', settings);
    await expect(ann.getPersistentSubscriptionToStreamInfo(stream, 'g')).resolves.toMatchObject({ groupName: 'g' });
    await expect(ann.listPersistentSubscriptionsToStream(stream)).resolves.toHaveLength(1);
    await expect(ann.updatePersistentSubscriptionToStream(stream, 'g', settings)).rejects.toMatchObject(denied);
    await expect(ann.replayParkedMessagesToStream(stream, 'g')).rejects.toMatchObject(denied);
    await expect(ann.deletePersistentSubscriptionToStream(stream, 'g')).rejects.toMatchObject(denied);
  });

  test('is named by a stream’s list, alone or as one of a group, may do what it says, and others may not', async () => {
    const stream = aStream();
    const [ann, bob] = [secured.as('ann:secret'), secured.as('bob:secret')];
    await ann.appendToStream(stream, event());
    await admin.setStreamMetadata(stream, { acl: { readRoles: ['readers'], writeRoles: ['ann'], deleteRoles: ['$admins'], metaReadRoles: ['ann'], metaWriteRoles: ['$admins'] } });
    expect(await read(bob, stream)).toBe(1);
    await expect(read(ann, stream)).rejects.toMatchObject(denied);
    await ann.appendToStream(stream, event());
    await expect(bob.appendToStream(stream, event())).rejects.toMatchObject(denied);
    await expect(ann.deleteStream(stream)).rejects.toMatchObject(denied);
    await expect(ann.getStreamMetadata(stream)).resolves.toMatchObject({ metadata: { acl: { readRoles: ['readers'] } } });
    await expect(bob.getStreamMetadata(stream)).rejects.toMatchObject(denied);
    await expect(ann.setStreamMetadata(stream, {})).rejects.toMatchObject(denied);
    await admin.deleteStream(stream);
  });

  test('logs in for one call only has the rights of that call', async () => {
    const stream = aStream();
    await admin.appendToStream(stream, event());
    await admin.setStreamMetadata(stream, { acl: { readRoles: ['bob'], writeRoles: ['bob'] } });
    const ann = secured.as('ann:secret');
    const bob = { username: 'bob', password: 'secret' };
    await ann.appendToStream(stream, event(), { credentials: bob });
    const events = [];
    for await (const one of ann.readStream(stream, { credentials: bob })) events.push(one);
    expect(events).toHaveLength(2);
    await expect(read(ann, stream)).rejects.toMatchObject(denied);
  });

  test('is told by the default lists what holds where a stream says nothing', async () => {
    const stream = aStream();
    await admin.appendToStream('$settings', jsonEvent({ type: 'update-default-acl', data: { $userStreamAcl: { $r: ['$all'], $w: ['ann'], $d: '$admins' }, $systemStreamAcl: { $r: 'bob' } } }));
    const [ann, bob] = [secured.as('ann:secret'), secured.as('bob:secret')];
    await ann.appendToStream(stream, event());
    await expect(bob.appendToStream(stream, event())).rejects.toMatchObject(denied);
    await expect(ann.deleteStream(stream)).rejects.toMatchObject(denied);
    await admin.appendToStream('$theirs', event());
    expect(await read(bob, '$theirs')).toBe(1);
    await admin.appendToStream('$settings', jsonEvent({ type: 'update-default-acl', data: {} }));
    await expect(read(bob, '$theirs')).rejects.toMatchObject(denied);
  });
});

describe('a password', () => {
  const change = (login: string, current: string, next: string) => {
    const options = new users.ChangePasswordReq.Options();
    options.setLoginName(login);
    options.setCurrentPassword(current);
    options.setNewPassword(next);
    const request = new users.ChangePasswordReq();
    request.setOptions(options);
    return request;
  };

  test('is changed by its owner, holds from then on, and only with the old one', async () => {
    await createUser('carl', 'first');
    await expect(callUsers('changePassword', change('carl', 'wrong', 'second'), 'carl:first')).rejects.toMatchObject({ code: 7 });
    await expect(callUsers('changePassword', change('carl', 'first', 'second'), 'ann:secret')).rejects.toMatchObject({ code: 7 });
    await callUsers('changePassword', change('carl', 'first', 'second'), 'carl:first');
    await expect(read(secured.as('carl:first'), 'none')).rejects.toMatchObject(denied);
    await expect(read(secured.as('carl:second'), 'none')).rejects.toMatchObject({ type: 'stream-not-found' });
  });

  test('of a user that is disabled or deleted opens nothing, also where it did a moment ago', async () => {
    await createUser('dora', 'secret');
    const dora = secured.as('dora:secret');
    await expect(read(dora, 'none')).rejects.toMatchObject({ type: 'stream-not-found' });
    const named = (Request: typeof users.DisableReq | typeof users.EnableReq | typeof users.DeleteReq) => {
      const options = new Request.Options();
      options.setLoginName('dora');
      const request = new Request();
      request.setOptions(options as never);
      return request;
    };
    await callUsers('disable', named(users.DisableReq));
    await expect(read(dora, 'none')).rejects.toMatchObject(denied);
    await callUsers('enable', named(users.EnableReq));
    await expect(read(dora, 'none')).rejects.toMatchObject({ type: 'stream-not-found' });
    await callUsers('delete', named(users.DeleteReq));
    await expect(read(dora, 'none')).rejects.toMatchObject(denied);
    await expect(callUsers('delete', named(users.DeleteReq))).rejects.toMatchObject({ code: 5 });
    await expect(callUsers('delete', named(users.DeleteReq), 'ann:secret')).rejects.toMatchObject({ code: 7 });
  });
});
