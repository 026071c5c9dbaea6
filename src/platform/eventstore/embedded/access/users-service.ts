import { status, type ServerUnaryCall, type ServerWritableStream, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { accessDenied, Refusal } from '../refusals.js';
import { answer, asRefusal } from '../services/calls.js';
import { method } from '../services/method.js';
import { bytesField, message, ProtoReader, stringField, varintField } from '../../protobuf.js';
import { NO_BYTES } from '../wire/recorded-event.js';
import { optionsOf } from '../wire/requests.js';
import { callerOf } from './caller.js';
import type { User, Users } from './users.js';

/** The text fields of a request by number; of the repeated fourth, the groups. */
interface Fields {
  readonly texts: Readonly<Record<number, string>>;
  readonly groups: readonly string[];
}

const path = (name: string): string => `/event_store.client.users.Users/${name}`;
const shape = { request: decode };

export const usersDefinition: ServiceDefinition = {
  create: method(path('Create'), shape),
  update: method(path('Update'), shape),
  delete: method(path('Delete'), shape),
  disable: method(path('Disable'), shape),
  enable: method(path('Enable'), shape),
  details: method(path('Details'), { ...shape, responseStream: true }),
  changePassword: method(path('ChangePassword'), shape),
  resetPassword: method(path('ResetPassword'), shape),
};

/** Serves the users of a node. Every message has its login first. */
export function usersService(users: Users): UntypedServiceImplementation {
  const done = (work: (request: Fields, call: object) => Promise<void>) =>
    answer(async (request: Fields, call: ServerUnaryCall<Fields, Buffer>) => {
      await work(request, call);
      return NO_BYTES;
    });
  const known = (login = ''): User => {
    const user = users.get(login);
    if (user === undefined) throw userNotFound(login);
    return user;
  };
  return {
    create: done(async ({ texts: { 1: login = '', 2: password = '', 3: fullName = '' }, groups }) => {
      if (login === '' || password === '') throw new RangeError('A user needs a login and a password.');
      if (users.get(login) !== undefined) throw userExists(login);
      await users.create({ login, fullName, groups }, password);
    }),
    update: done(async ({ texts: { 1: login, 3: fullName = '' }, groups }) => users.change(known(login).login, { fullName, groups })),
    delete: done(async ({ texts: { 1: login } }) => users.remove(known(login).login)),
    disable: done(async ({ texts: { 1: login } }) => users.change(known(login).login, { disabled: true })),
    enable: done(async ({ texts: { 1: login } }) => users.change(known(login).login, { disabled: false })),
    changePassword: done(async ({ texts: { 1: login, 2: current = '', 3: next = '' } }, call) => {
      const caller = callerOf(call).login;
      if (caller !== undefined && caller !== login) throw accessDenied();
      if ((await users.logIn(known(login).login, current)) === undefined) throw accessDenied();
      await users.change(login!, {}, required(next));
    }),
    resetPassword: done(async ({ texts: { 1: login, 2: next = '' } }) => users.change(known(login).login, {}, required(next))),
    details: (call: ServerWritableStream<Fields, Buffer>) => {
      try {
        const { 1: login = '' } = call.request.texts;
        const { login: caller } = callerOf(call);
        if (caller !== undefined && caller !== login && !known(caller).groups.includes('$admins')) throw accessDenied();
        for (const user of login === '' ? users.all() : [known(login)]) call.write(bytesField(1, details(user)));
        call.end();
      } catch (error) {
        call.emit('error', asRefusal(error));
      }
    },
  };
}

function required(password: string): string {
  if (password === '') throw new RangeError('A password cannot be empty.');
  return password;
}

const TICKS_TO_EPOCH = 621_355_968_000_000_000n;

function details({ login, fullName, groups, updatedMs, disabled }: User): Buffer {
  const updated = varintField(1, TICKS_TO_EPOCH + BigInt(updatedMs) * 10_000n);
  return message(stringField(1, login), stringField(2, fullName), ...groups.map((group) => stringField(3, group)), bytesField(4, updated), varintField(5, disabled ? 1 : 0));
}

function decode(bytes: Buffer): Fields {
  const texts: Record<number, string> = {};
  const groups: string[] = [];
  const reader: ProtoReader | undefined = optionsOf(bytes);
  while (reader?.next()) {
    const { field } = reader;
    if (field === 4) groups.push(reader.text());
    else texts[field] = reader.text();
  }
  return { texts, groups };
}

const userNotFound = (login: string): Refusal => new Refusal(status.NOT_FOUND, `User '${login}' is not found.`, { exception: 'user-not-found', 'login-name': login });
const userExists = (login: string): Refusal => new Refusal(status.ALREADY_EXISTS, `User '${login}' already exists.`, { exception: 'user-conflict', 'login-name': login });
