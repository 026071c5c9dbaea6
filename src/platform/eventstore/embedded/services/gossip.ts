import { randomUUID } from 'node:crypto';
import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { bytesField, message, stringField, varintField } from '../../protobuf.js';
import { answer } from './calls.js';
import { method } from './method.js';

export const gossipDefinition: ServiceDefinition = {
  read: method('/event_store.client.gossip.Gossip/Read', { request: () => ({}) }),
};

const LEADER = 8;
const TICKS_A_MS = 10_000;
const DEFAULT_PORT = 2113;

/** Tells clients that look for a cluster that this node is all of it, and its leader. */
export function gossipService(): UntypedServiceImplementation {
  const instance = bytesField(1, stringField(2, randomUUID()));
  return {
    // The node is reached under the address by which it was asked, whatever it listens on.
    read: answer((_, call) => bytesField(1, member(instance, call.getHost()))),
  };
}

function member(instance: Buffer, authority: string): Buffer {
  const { hostname, port } = new URL(`http://${authority}`);
  const endPoint = message(stringField(1, hostname), varintField(2, port === '' ? DEFAULT_PORT : Number(port)));
  return message(instance, varintField(2, Date.now() * TICKS_A_MS), varintField(3, LEADER), varintField(4, 1), bytesField(5, endPoint));
}
