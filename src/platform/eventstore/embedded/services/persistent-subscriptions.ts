import { status, type ServerDuplexStream, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { callerOf, demand } from '../access/caller.js';
import { Consumer } from '../groups/consumer.js';
import type { GroupConfig } from '../groups/config.js';
import type { Group } from '../groups/group.js';
import type { Groups } from '../groups/groups.js';
import { Outlet } from '../reading/outlet.js';
import { Refusal } from '../refusals.js';
import type { FramedMessages } from '../wire/framed.js';
import { decodeGroupConfig, decodeGroupRequest, decodeListRequest, decodeReaderMessage, groupInfo, type GroupReaderMessage, type GroupRequest } from '../wire/group-messages.js';
import { bytesField, message } from '../../protobuf.js';
import { NO_BYTES } from '../wire/recorded-event.js';
import { answer, asRefusal, type OpenCalls } from './calls.js';
import { method } from './method.js';

const path = (name: string): string => `/event_store.client.persistent_subscriptions.PersistentSubscriptions/${name}`;

export const persistentSubscriptionsDefinition: ServiceDefinition = {
  create: method(path('Create'), { request: decodeGroupConfig }),
  update: method(path('Update'), { request: decodeGroupConfig }),
  delete: method(path('Delete'), { request: decodeGroupRequest({ stream: 1, group: 2, all: 3 }) }),
  read: method(path('Read'), { request: decodeReaderMessage, requestStream: true, responseStream: true }),
  getInfo: method(path('GetInfo'), { request: decodeGroupRequest({ stream: 1, all: 2, group: 3 }) }),
  replayParked: method(path('ReplayParked'), { request: decodeGroupRequest({ group: 1, stream: 2, all: 3 }) }),
  list: method(path('List'), { request: decodeListRequest }),
  restartSubsystem: method(path('RestartSubsystem'), { request: () => ({}) }),
};

/** Creates, changes and lists persistent subscriptions, and connects their consumers. */
export function persistentSubscriptionsService(groups: Groups, calls: OpenCalls): UntypedServiceImplementation {
  return {
    create: answer(async (config: GroupConfig) => {
      await groups.create(config);
      return NO_BYTES;
    }),
    update: answer(async (config: GroupConfig) => {
      await groups.update(config);
      return NO_BYTES;
    }),
    delete: answer(async (request: GroupRequest) => {
      await groups.delete(request);
      return NO_BYTES;
    }),
    read: (call: ServerDuplexStream<GroupReaderMessage, FramedMessages>) => serveReader(groups, calls, call),
    getInfo: answer((request: GroupRequest) => bytesField(1, groupInfo(groups.find(request)))),
    replayParked: answer((request: GroupRequest) => {
      groups.find(request).replay(request.stopAt ?? Infinity);
      return NO_BYTES;
    }),
    list: answer(({ source }: { source: string | undefined }) => message(...groups.list(source).map((group) => bytesField(1, groupInfo(group))))),
    restartSubsystem: answer(async () => {
      await groups.restart();
      return NO_BYTES;
    }),
  };
}

function serveReader(groups: Groups, calls: OpenCalls, call: ServerDuplexStream<GroupReaderMessage, FramedMessages>): void {
  const gone = calls.track(call);
  let joined: { group: Group; consumer: Consumer } | undefined;
  const leave = () => joined?.group.disconnect(joined.consumer);
  gone.addEventListener('abort', leave);
  call.on('data', (said: GroupReaderMessage) => {
    try {
      if (said.kind === 'open') joined ??= join(groups, call, said);
      else if (joined === undefined) throw new Refusal(status.INVALID_ARGUMENT, 'A reader begins by saying which group it reads.');
      else if (said.kind === 'ack') joined.group.acknowledge(said.ids);
      else joined.group.refuse(said.ids, said.action, said.reason);
    } catch (error) {
      call.emit('error', asRefusal(error));
    }
  });
  call.on('end', () => {
    leave();
    if (!gone.aborted) call.end();
  });
}

function join(groups: Groups, call: ServerDuplexStream<GroupReaderMessage, FramedMessages>, open: Extract<GroupReaderMessage, { kind: 'open' }>): { group: Group; consumer: Consumer } {
  demand(call, 'read', open.source);
  const group = groups.find(open);
  const about = { from: call.getPeer(), connectionName: String(call.metadata.get('connection-name')[0] ?? ''), username: callerOf(call).login ?? 'anonymous' };
  const consumer = new Consumer(new Outlet(call as never), open.bufferSize, open.structuredIds, about, (reason) => call.emit('error', reason));
  group.connect(consumer);
  return { group, consumer };
}
