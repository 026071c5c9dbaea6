import { EventEmitter } from 'node:events';
import type { Metadata, MethodDefinition, sendUnaryData, ServiceDefinition, UntypedHandleCall, UntypedServiceImplementation } from '@grpc/grpc-js';
import { accessDenied, unauthenticated } from '../refusals.js';
import { asRefusal } from '../services/calls.js';
import { setCaller } from './caller.js';
import { methodRule } from './method-rules.js';
import { StreamRules } from './stream-rules.js';
import type { User, Users } from './users.js';

type Call = EventEmitter & { readonly metadata: Metadata };
type AnyHandler = (call: Call, reply?: sendUnaryData<unknown>) => void;
type Method = MethodDefinition<unknown, unknown>;

/** Who is there, and what they may do. */
export interface Access {
  readonly users: Users;
  readonly rules: StreamRules;
}

/** The same service, with each of its calls begun only by those who may make it. */
export function guarded(definition: ServiceDefinition, service: UntypedServiceImplementation, access: Access): UntypedServiceImplementation {
  return Object.fromEntries(
    Object.entries(definition).flatMap(([name, method]) => {
      const handler = service[name];
      return handler === undefined ? [] : [[name, guard(method, handler as unknown as AnyHandler, access) as unknown as UntypedHandleCall]];
    }),
  );
}

function guard({ path }: Method, handle: AnyHandler, access: Access): AnyHandler {
  const rule = methodRule(path);
  if (rule === 'anybody') return handle;
  return (call, reply) => {
    void admit(call.metadata, rule, access).then(
      (user) => {
        setCaller(call, user.login, user.groups, access.rules);
        handle(call, reply);
      },
      (error: unknown) => {
        if (reply !== undefined) reply(asRefusal(error));
        else call.emit('error', asRefusal(error));
      },
    );
  };
}

async function admit(metadata: Metadata, rule: readonly string[] | 'user', { users }: Access): Promise<User> {
  const credentials = credentialsIn(metadata);
  if (credentials === undefined) throw accessDenied();
  const user = await users.logIn(credentials.login, credentials.password);
  if (user === undefined) throw unauthenticated();
  if (rule !== 'user' && !user.groups.some((group) => rule.includes(group))) throw accessDenied();
  return user;
}

/** `authorization: Basic base64(login:password)` */
function credentialsIn(metadata: Metadata): { login: string; password: string } | undefined {
  const encoded = /^Basic (.+)$/i.exec(String(metadata.get('authorization')[0] ?? ''))?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { login: text.slice(0, colon), password: text.slice(colon + 1) };
}
