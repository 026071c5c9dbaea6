import { describe, expect, test } from '@jest/globals';
import {
  EventStoreDBClient,
  START,
  jsonEvent,
  binaryEvent,
  persistentSubscriptionToAllSettingsFromDefaults,
  persistentSubscriptionToStreamSettingsFromDefaults,
  type PersistentSubscriptionToStream,
  type PersistentSubscriptionToAll,
  type PersistentSubscriptionToStreamSettings,
} from '@eventstore/db-client';
import grpcPersistent from '@eventstore/db-client/generated/persistent_grpc_pb.js';
import persistent from '@eventstore/db-client/generated/persistent_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import { credentials, type ServiceError } from '@grpc/grpc-js';
import { randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Groups } from '../../../../src/platform/eventstore/embedded/groups/groups.js';
import { EventStore } from '../../../../src/platform/eventstore/embedded/store/event-store.js';
import { until } from '../../../support/until.js';
import { withNode } from './filled.js';

const counted = (n: number) => jsonEvent({ type: 'Counted', data: { n } });
const fromStart = (more: Partial<PersistentSubscriptionToStreamSettings> = {}) => persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: START, ...more });
const info = async (client: EventStoreDBClient) => client.getPersistentSubscriptionToStreamInfo('s', 'g');
const parked = async (client: EventStoreDBClient) => Number((await info(client)).stats.parkedMessageCount);

/** A reader of a group, what it got so far and what it was told. */
function reading(subscription: PersistentSubscriptionToStream | PersistentSubscriptionToAll) {
  const got: any[] = [];
  const errors: Error[] = [];
  subscription.on('data', (event) => void got.push(event));
  subscription.on('error', (error) => void errors.push(error));
  const numbers = () => got.map(({ event, retryCount }) => (retryCount === 0 ? String(event?.data.n) : `${event?.data.n} again`));
  return { subscription, got, errors, numbers, confirmed: new Promise((resolve) => subscription.once('confirmation', resolve)) };
}

/** Creates a group with a strategy that the client does not know. */
async function createRaw(url: string, stream: string, strategy: string): Promise<ServiceError | null> {
  const settings = new persistent.CreateReq.Settings();
  settings.setConsumerStrategy(strategy);
  settings.setReadBatchSize(10);
  settings.setHistoryBufferSize(20);
  const identifier = new shared.StreamIdentifier();
  identifier.setStreamName(Buffer.from(stream).toString('base64'));
  const options = new persistent.CreateReq.Options();
  options.setStreamIdentifier(identifier);
  options.setGroupName('g');
  options.setSettings(settings);
  const request = new persistent.CreateReq();
  request.setOptions(options);
  const raw = new grpcPersistent.PersistentSubscriptionsClient(new URL(url).host, credentials.createInsecure());
  const refusal = await new Promise<ServiceError | null>((resolve) => raw.create(request, (error) => resolve(error)));
  raw.close();
  return refusal;
}

/** A group on the stream `s` with these events, and a reader of it. */
async function withGroup(events: number, settings: Partial<PersistentSubscriptionToStreamSettings>, use: (client: EventStoreDBClient, open: (bufferSize?: number) => ReturnType<typeof reading>) => Promise<void>): Promise<void> {
  await withNode({}, async (client) => {
    if (events > 0) await client.appendToStream('s', Array.from({ length: events }, (_, n) => counted(n)));
    await client.createPersistentSubscriptionToStream('s', 'g', fromStart(settings));
    await use(client, (bufferSize = 100) => reading(client.subscribeToPersistentSubscriptionToStream('s', 'g', { bufferSize })));
  });
}

describe('a consumer that does not acknowledge', () => {
  test('with stop has done with the event and goes on reading, as with the real server', async () => {
    await withGroup(2, {}, async (client, open) => {
      const reader = open();
      await until('two events', () => reader.got.length === 2);
      await reader.subscription.nack('stop', 'because', reader.got[0]);
      await until('one is under way', async () => (await info(client)).stats.totalInFlightMessages === 1);
      await client.appendToStream('s', counted(2));
      await until('the third event', () => reader.got.length === 3);
      expect(reader.numbers()).toEqual(['0', '1', '2']);
      expect(reader.errors).toEqual([]);
      expect(await parked(client)).toBe(0);
    });
  });

  test('with retry gets the event again before what it has yet to see', async () => {
    await withGroup(6, {}, async (_, open) => {
      const reader = open(2);
      await until('two events', () => reader.got.length === 2);
      await reader.subscription.nack('retry', 'because', reader.got[1]);
      await until('the event again', () => reader.got.length === 3);
      await reader.subscription.ack(...reader.got.slice(0, 1));
      await until('the next event', () => reader.got.length === 4);
      expect(reader.numbers()).toEqual(['0', '1', '1 again', '2']);
    });
  });

  test('and goes, leaves its events to the next one in the order of the stream', async () => {
    await withGroup(4, {}, async (client, open) => {
      const first = open(3);
      await until('three events', () => first.got.length === 3);
      await first.subscription.nack('retry', 'because', first.got[0]);
      await until('the first one again', () => first.got.length === 4);
      await first.subscription.unsubscribe();
      await until('nobody reads', async () => (await info(client)).connections.length === 0);
      const second = open();
      await until('all of them', () => second.got.length === 4);
      expect(second.numbers()).toEqual(['0 again', '1 again', '2 again', '3']);
    });
  });
});

describe('parked events', () => {
  const park = async (client: EventStoreDBClient, reader: ReturnType<typeof reading>, count: number) => {
    await until('the events', () => reader.got.length >= count);
    await reader.subscription.nack('park', 'because', ...reader.got.splice(0, count));
    await until('they are parked', async () => (await parked(client)) === count);
  };

  test('are replayed up to the one of a number among them, and are not counted from then on', async () => {
    await withGroup(3, {}, async (client, open) => {
      const reader = open();
      await park(client, reader, 3);
      await client.replayParkedMessagesToStream('s', 'g', { stopAt: 2 });
      await until('two events', () => reader.got.length === 2);
      expect(await parked(client)).toBe(1);
      await client.replayParkedMessagesToStream('s', 'g', { stopAt: 2 });
      await client.replayParkedMessagesToStream('s', 'g');
      await until('the third event', () => reader.got.length === 3);
      expect(reader.numbers()).toEqual(['0', '1', '2']);
      expect(await parked(client)).toBe(0);
    });
  });

  test('name the event that a link leads to, say why, and come again as that event', async () => {
    await withNode({ projections: true }, async (client) => {
      await client.appendToStream('order-1', counted(7));
      await client.createPersistentSubscriptionToStream('$ce-order', 'g', fromStart({ resolveLinkTos: true }));
      const reader = reading(client.subscribeToPersistentSubscriptionToStream('$ce-order', 'g'));
      await until('the event', () => reader.got.length === 1);
      await reader.subscription.nack('park', 'no good', reader.got[0]);
      const links: any[] = [];
      await until('it is parked', async () => {
        if (Number((await client.getPersistentSubscriptionToStreamInfo('$ce-order', 'g')).stats.parkedMessageCount) === 0) return false;
        for await (const { event } of client.readStream('$persistentsubscription-$ce-order::g-parked')) links.push(event);
        return links.length === 1;
      });
      expect(Buffer.from(links[0].data).toString()).toBe('0@order-1');
      expect(links[0].metadata).toMatchObject({ reason: "Client explicitly NAK'ed message.\nno good", subscriptionEventNumber: 0 });
      await client.replayParkedMessagesToStream('$ce-order', 'g');
      await until('it comes again', () => reader.got.length === 2);
      expect(reader.got[1]).toMatchObject({ event: { streamId: 'order-1', data: { n: 7 } }, link: { streamId: '$persistentsubscription-$ce-order::g-parked' } });
    });
  });

  test('go with their group', async () => {
    await withGroup(1, {}, async (client, open) => {
      await park(client, open(), 1);
      await client.deletePersistentSubscriptionToStream('s', 'g');
      await client.createPersistentSubscriptionToStream('s', 'g', fromStart());
      expect(await parked(client)).toBe(0);
    });
  });

  test('of a group on $all do not come to it as events of the log', async () => {
    await withNode({}, async (client) => {
      await client.createPersistentSubscriptionToAll('g', persistentSubscriptionToAllSettingsFromDefaults({ startFrom: START }));
      const reader = reading(client.subscribeToPersistentSubscriptionToAll('g'));
      await client.appendToStream('s', counted(1));
      await until('the event', () => reader.got.length === 1);
      await reader.subscription.nack('park', 'because', reader.got[0]);
      await until('it is parked', async () => Number((await client.getPersistentSubscriptionToAllInfo('g')).stats.parkedMessageCount) === 1);
      await client.appendToStream('s', counted(2));
      await until('the next event', () => reader.numbers().includes('2'));
      expect(reader.numbers()).toEqual(['1', '2']);
    });
  });
});

describe('several consumers', () => {
  const two = async (strategy: string, settings: object, events: () => Promise<unknown>, client: EventStoreDBClient, stream: string, buffers: [number, number]) => {
    await client.createPersistentSubscriptionToStream(stream, 'g', fromStart({ ...settings, consumerStrategyName: strategy }));
    const readers = buffers.map((bufferSize) => reading(client.subscribeToPersistentSubscriptionToStream(stream, 'g', { bufferSize })));
    for (const { confirmed } of readers) await confirmed;
    await events();
    return readers;
  };

  test('take turns, one of them until it is full, or each its own', async () => {
    await withNode({}, async (client) => {
      const append = (stream: string) => async () => {
        for (let n = 0; n < 4; n++) await client.appendToStream(stream, counted(n));
      };
      const [a, b] = await two('RoundRobin', {}, append('turns'), client, 'turns', [9, 9]);
      await until('four events', () => a!.got.length + b!.got.length === 4);
      expect([a!.numbers(), b!.numbers()]).toEqual([['0', '2'], ['1', '3']]);
      const [c, d] = await two('DispatchToSingle', {}, append('single'), client, 'single', [2, 9]);
      await until('four events', () => c!.got.length + d!.got.length === 4);
      expect([c!.numbers(), d!.numbers()]).toEqual([['0', '1'], ['2', '3']]);
      // The one that took over keeps its turn, though the first has room again.
      await c!.subscription.ack(...c!.got);
      await until('it has room', async () => (await client.getPersistentSubscriptionToStreamInfo('single', 'g')).stats.totalInFlightMessages === 2);
      await client.appendToStream('single', counted(4));
      await until('the fifth event', () => c!.got.length + d!.got.length === 5);
      expect(d!.numbers()).toEqual(['2', '3', '4']);
      const [e, f] = await two('Pinned', {}, append('pinned'), client, 'pinned', [9, 9]);
      await until('four events', () => e!.got.length + f!.got.length === 4);
      expect([e!.numbers(), f!.numbers()]).toEqual([['0', '1', '2', '3'], []]);
    });
  });

  test('that are pinned share the streams that links lead to, or correlations', async () => {
    await withNode({ projections: true }, async (client) => {
      const append = async () => {
        for (const n of [1, 2]) for (const stream of ['x-1', 'x-2']) await client.appendToStream(stream, jsonEvent({ type: 'Counted', data: { n: `${stream} ${n}` }, metadata: { $correlationId: `c${n}` } }));
      };
      const [a, b] = await two('Pinned', { resolveLinkTos: true }, append, client, '$ce-x', [9, 9]);
      await until('four events', () => a!.got.length + b!.got.length === 4);
      expect([a!.numbers(), b!.numbers()]).toEqual([['x-1 1', 'x-1 2'], ['x-2 1', 'x-2 2']]);
    });
    await withNode({}, async (client, url) => {
      expect(await createRaw(url, 's', 'PinnedByCorrelation')).toBeNull();
      const readers = [1, 2].map(() => reading(client.subscribeToPersistentSubscriptionToStream('s', 'g')));
      for (const { confirmed } of readers) await confirmed;
      for (let n = 0; n < 6; n++) await client.appendToStream('s', jsonEvent({ type: 'Counted', data: { n }, metadata: { $correlationId: `c${n % 2}` } }));
      await until('six events', () => readers[0]!.got.length + readers[1]!.got.length === 6);
      expect(readers.map(({ numbers }) => numbers())).toEqual([['0', '2', '4'], ['1', '3', '5']]);
    });
  });
});

describe('a group', () => {
  test('is behind while its buffer has no room for another batch', async () => {
    await withGroup(10, { historyBufferSize: 5, readBatchSize: 2 }, async (client, open) => {
      expect(await info(client)).toMatchObject({ status: 'Behind', stats: { lastKnownEventRevision: 3n } });
      const reader = open();
      await until('all events', () => reader.got.length === 10);
      expect(await info(client)).toMatchObject({ status: 'Live', stats: { lastKnownEventRevision: 9n } });
    });
  });

  test('delivers an event whose id comes twice twice, and is done with both', async () => {
    await withNode({}, async (client) => {
      const twice = counted(1);
      await client.appendToStream('s', [twice, twice, counted(2)]);
      await client.createPersistentSubscriptionToStream('s', 'g', fromStart({ checkPointLowerBound: 1, checkPointUpperBound: 1 }));
      const reader = reading(client.subscribeToPersistentSubscriptionToStream('s', 'g'));
      await until('three events', () => reader.got.length === 3);
      await reader.subscription.ack(...reader.got.slice(1));
      await until('a checkpoint behind them', async () => (await info(client)).stats.lastCheckpointedEventRevision === 2n);
    });
  });

  test('is refused with its reason when its strategy or its beginning is none', async () => {
    await withNode({}, async (client, url) => {
      const refusal = await createRaw(url, 's', 'NoSuch');
      expect(refusal?.details).toContain('Consumer strategy NoSuch does not exist');
      expect(refusal?.metadata.get('exception')).toEqual(['persistent-subscription-failed']);
      const beyond = persistentSubscriptionToAllSettingsFromDefaults({ startFrom: { commit: 1000n, prepare: 1000n } });
      await expect(client.createPersistentSubscriptionToAll('g', beyond)).rejects.toThrow('Invalid Start From position');
      expect(await client.listAllPersistentSubscriptions()).toEqual([]);
    });
  });

  test('is created once, by whichever of two comes first', async () => {
    await withNode({}, async (client) => {
      const created = await Promise.allSettled([1, 2].map(() => client.createPersistentSubscriptionToStream('s', 'g', fromStart())));
      expect(created.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      await client.deletePersistentSubscriptionToStream('s', 'g');
      expect(await client.listAllPersistentSubscriptions()).toEqual([]);
    });
  });

  test('that does not resolve links hands them out as they are', async () => {
    await withNode({}, async (client) => {
      await client.appendToStream('s', binaryEvent({ type: '$>', data: Buffer.from('0@other') }));
      await client.createPersistentSubscriptionToStream('s', 'g', fromStart());
      const reader = reading(client.subscribeToPersistentSubscriptionToStream('s', 'g'));
      await until('the link', () => reader.got.length === 1);
      expect(reader.got[0]).toMatchObject({ event: { type: '$>', streamId: 's' } });
    });
  });
});

test('events that wait in a group are not held in memory', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const held = () => {
    collect();
    return process.memoryUsage().arrayBuffers / 1024 / 1024;
  };
  const store = await EventStore.open(undefined);
  const event = () => ({ id: randomUUID(), type: Buffer.from('Large'), isJson: false, metadata: Buffer.alloc(0), data: Buffer.alloc(1_000_000) });
  for (let n = 0; n < 60; n++) await new Promise((resolve) => store.append('large', 'any', [event()], resolve));
  const before = held();
  const groups = new Groups(store);
  const settings = { resolveLinks: false, extraStatistics: false, messageTimeoutMs: 0, maxRetryCount: 1, checkpointAfterMs: 0, minCheckpointCount: 1, maxCheckpointCount: 1, maxSubscriberCount: 0, liveBufferSize: 500, readBatchSize: 20, historyBufferSize: 500 };
  await groups.create({ source: 'large', name: 'g', from: 'start', strategy: 'RoundRobin', ...settings });
  await until('all of them wait', () => groups.find({ source: 'large', name: 'g' }).waiting.read === 60);
  expect(held() - before).toBeLessThan(30);
  groups.stop();
  await store.close();
});
