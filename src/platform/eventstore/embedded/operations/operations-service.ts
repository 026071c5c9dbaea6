import { status, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { Refusal } from '../refusals.js';
import { answer } from '../services/calls.js';
import { method } from '../services/method.js';
import { message, stringField, varintField } from '../../protobuf.js';
import { optionsOf } from '../wire/requests.js';
import type { Scavenges } from './scavenges.js';

const path = (name: string): string => `/event_store.client.operations.Operations/${name}`;
const empty = { request: () => ({}) };

export const operationsDefinition: ServiceDefinition = {
  startScavenge: method(path('StartScavenge'), empty),
  stopScavenge: method(path('StopScavenge'), { request: decodeStop }),
  shutdown: method(path('Shutdown'), empty),
  mergeIndexes: method(path('MergeIndexes'), empty),
  resignNode: method(path('ResignNode'), empty),
  setNodePriority: method(path('SetNodePriority'), empty),
  restartPersistentSubscriptions: method(path('RestartPersistentSubscriptions'), empty),
};

const RESULT = { started: 0, inProgress: 1, stopped: 2 } as const;

/** Serves scavenges. What a node of one has no use for, or what an operator does where the node was started, is refused with its reason. */
export function operationsService(scavenges: Scavenges): UntypedServiceImplementation {
  return {
    startScavenge: answer(() => {
      const { id, isNew } = scavenges.start();
      return reply(id, isNew ? RESULT.started : RESULT.inProgress);
    }),
    stopScavenge: answer(async (id: string) => {
      await scavenges.stop(id);
      return reply(id, RESULT.stopped);
    }),
    shutdown: refusing('This node is stopped where it was started, with Ctrl-C or SIGTERM.'),
    mergeIndexes: refusing('The indexes of this node are never apart, so there is nothing to merge.'),
    resignNode: refusing('This node is alone and has nobody to resign in favour of.'),
    setNodePriority: refusing('This node is alone: a priority would mean nothing.'),
    restartPersistentSubscriptions: refusing('Use RestartSubsystem of the PersistentSubscriptions service.'),
  };
}

const reply = (id: string, result: number): Buffer => message(stringField(1, id), varintField(2, result));

function refusing(reason: string) {
  return answer((): Buffer => {
    throw new Refusal(status.UNIMPLEMENTED, reason);
  });
}

function decodeStop(bytes: Buffer): string {
  const options = optionsOf(bytes);
  let id = '';
  while (options?.next()) {
    if (options.field === 1) id = options.text();
    else options.skip();
  }
  return id;
}
