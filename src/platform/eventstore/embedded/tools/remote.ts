import { EventStoreDBClient, StreamNotFoundError } from '@eventstore/db-client';
import grpcOperations from '@eventstore/db-client/generated/operations_grpc_pb.js';
import operations from '@eventstore/db-client/generated/operations_pb.js';
import grpcUsers from '@eventstore/db-client/generated/users_grpc_pb.js';
import users from '@eventstore/db-client/generated/users_pb.js';
import type { CallOptions, Client, Metadata, ServiceError } from '@grpc/grpc-js';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '../../client.js';
import { failureOf } from '../../failures.js';
import { streamOf } from '../operations/scavenges.js';
import type { Scavenged } from '../operations/scavenge.js';

/** What of the client's protected side calls the services that it has no methods for. */
interface ClientInside {
  execute<C extends Client, T>(service: new (...parts: never[]) => C, name: string, action: (client: C) => Promise<T>): Promise<T>;
  callArguments(base: { deadline: number }, options: CallOptions): [Metadata, CallOptions];
}

const DEADLINE_MS = 10_000;
const LOOK_EVERY_MS = 500;

/** Sets the password of a user of any EventStoreDB, as an administrator. */
export async function resetPassword(url: string, login: string, password: string): Promise<void> {
  const options = new users.ResetPasswordReq.Options();
  options.setLoginName(login);
  options.setNewPassword(password);
  const request = new users.ResetPasswordReq();
  request.setOptions(options);
  await on(url, (client) => unary(client, 'Setting the password', grpcUsers.UsersClient, (service, metadata, callOptions, done) => service.resetPassword(request, metadata, callOptions, done)));
}

/** Starts a scavenge on a running node and follows it to its end; stops it when the signal aborts. */
export function scavengeServer(url: string, signal: AbortSignal, progress: (scavenged: Scavenged) => void): Promise<{ result: string; events: number; bytes: number }> {
  return on(url, async (client) => {
    const id = await start(client);
    for (let told = 0; ; ) {
      for (const { type, data, revision } of await toldSince(client, id, told)) {
        told = revision + 1;
        if (type === '$scavengeProgress') progress({ position: data['position'] as number, end: data['end'] as number, events: data['eventsRemoved'] as number, bytes: data['spaceSaved'] as number });
        if (type === '$scavengeCompleted') return { result: data['result'] as string, events: (data['eventsRemoved'] as number | undefined) ?? 0, bytes: (data['spaceSaved'] as number | undefined) ?? 0 };
      }
      if (signal.aborted) await stop(client, id);
      else await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  });
}

async function start(client: EventStoreDBClient): Promise<string> {
  const options = new operations.StartScavengeReq.Options();
  options.setThreadCount(1);
  const request = new operations.StartScavengeReq();
  request.setOptions(options);
  const reply = await unary<InstanceType<typeof grpcOperations.OperationsClient>, InstanceType<typeof operations.ScavengeResp>>(
    client, 'Starting a scavenge', grpcOperations.OperationsClient, (service, metadata, callOptions, done) => service.startScavenge(request, metadata, callOptions, done));
  return reply.getScavengeId();
}

async function stop(client: EventStoreDBClient, id: string): Promise<void> {
  const options = new operations.StopScavengeReq.Options();
  options.setScavengeId(id);
  const request = new operations.StopScavengeReq();
  request.setOptions(options);
  await unary(client, 'Stopping the scavenge', grpcOperations.OperationsClient, (service, metadata, callOptions, done) => service.stopScavenge(request, metadata, callOptions, done));
}

async function toldSince(client: EventStoreDBClient, id: string, revision: number): Promise<{ type: string; data: Record<string, unknown>; revision: number }[]> {
  const told = [];
  try {
    for await (const { event } of client.readStream(streamOf(id), { fromRevision: BigInt(revision) })) {
      if (event !== undefined) told.push({ type: event.type, data: event.data as Record<string, unknown>, revision: Number(event.revision) });
    }
  } catch (error) {
    if (!(error instanceof StreamNotFoundError)) throw failureOf(error, { what: 'Following the scavenge' });
  }
  return told;
}

async function on<T>(url: string, work: (client: EventStoreDBClient) => Promise<T>): Promise<T> {
  const connection = new Connection(url);
  try {
    return await work(connection.client);
  } finally {
    connection.close();
  }
}

function unary<C extends Client, Reply>(
  client: EventStoreDBClient,
  what: string,
  service: new (...parts: never[]) => C,
  call: (service: C, metadata: Metadata, options: CallOptions, done: (error: ServiceError | null, reply: Reply) => void) => void,
): Promise<Reply> {
  const inside = client as unknown as ClientInside;
  return inside
    .execute(service, what, (made) => new Promise<Reply>((resolve, reject) => call(made, ...inside.callArguments({ deadline: DEADLINE_MS }, {}), (error, reply) => (error ? reject(error) : resolve(reply)))))
    .catch((error: unknown) => {
      throw failureOf(error, { what });
    });
}
