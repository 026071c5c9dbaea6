import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { EventStoreDBClient, START, jsonEvent, persistentSubscriptionToStreamSettingsFromDefaults, streamNameFilter } from '@eventstore/db-client';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FolderProblem, PortInUse, startEventStore } from '../../../../src/platform/eventstore/embedded/index.js';
import { until } from '../../../support/until.js';
import { temporaryFolder, withNode } from './filled.js';
import { NodeProcess } from './node-process.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const counted = (n: number) => jsonEvent({ type: 'Counted', data: { n } });

beforeEach(async () => {
  folder = await temporaryFolder();
});

afterEach(() => folder.remove());

describe('a node', () => {
  test('is found by a client that looks for a cluster', async () => {
    await withNode({}, async (_, url) => {
      const client = EventStoreDBClient.connectionString(url.replace('esdb://', 'esdb+discover://'));
      expect((await client.appendToStream('found', counted(1))).success).toBe(true);
      await client.dispose();
    });
  });

  test('ends open subscriptions as cancelled when it stops, so that clients connect again', async () => {
    const node = await startEventStore();
    const client = EventStoreDBClient.connectionString(node.connectionString);
    const subscription = client.subscribeToAll();
    await new Promise((resolve) => subscription.once('caughtUp', resolve));
    const ended = new Promise<{ type: string }>((resolve) => subscription.once('error', resolve as never));
    await node.close();
    expect((await ended).type).toBe('cancelled');
    await client.dispose();
  });

  test('refuses a folder that another node uses, one of a newer version, and a port in use', async () => {
    const node = await startEventStore({ dir: folder.path });
    await expect(startEventStore({ dir: folder.path })).rejects.toThrow(FolderProblem);
    await expect(startEventStore({ port: node.port })).rejects.toThrow(PortInUse);
    await node.close();
    await writeFile(join(folder.path, 'layout.json'), '{"layout":99}');
    await expect(startEventStore({ dir: folder.path })).rejects.toThrow('newer version');
  });

  test('stops with code 0 when it is asked to, and serves what it had when it is started again', async () => {
    const first = await NodeProcess.start(folder.path);
    const writer = EventStoreDBClient.connectionString(first.url);
    await writer.appendToStream('kept', counted(1));
    await writer.dispose();
    expect(await first.stop()).toBe(0);
    await withNode({ dir: folder.path }, async (client) => {
      const read: unknown[] = [];
      for await (const { event } of client.readStream('kept')) read.push(event!.data);
      expect(read).toEqual([{ n: 1 }]);
    });
  });
});

describe('a persistent subscription', () => {
  test('goes on behind its last acknowledged event after a restart of the node', async () => {
    const settings = persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: START, checkPointLowerBound: 1, checkPointUpperBound: 1 });
    await withNode({ dir: folder.path }, async (client) => {
      await client.appendToStream('work', [1, 2, 3, 4].map(counted));
      await client.createPersistentSubscriptionToStream('work', 'workers', settings);
      const subscription = client.subscribeToPersistentSubscriptionToStream('work', 'workers');
      for await (const event of subscription) {
        await subscription.ack(event);
        if (event.event!.revision === 1n) break;
      }
      await until('the acknowledgements are stored', async () => (await client.getPersistentSubscriptionToStreamInfo('work', 'workers')).stats.lastCheckpointedEventRevision === 1n);
    });
    await withNode({ dir: folder.path }, async (client) => {
      const subscription = client.subscribeToPersistentSubscriptionToStream('work', 'workers');
      for await (const event of subscription) {
        expect(event.event!.revision).toBe(2n);
        break;
      }
    });
  });
});

describe('a filtered subscription', () => {
  test('hears how far the log was searched while nothing matches', async () => {
    await withNode({ projections: false }, async (client) => {
      await client.appendToStream('other', Array.from({ length: 100 }, (_, n) => counted(n)));
      const positions: bigint[] = [];
      const filter = streamNameFilter({ prefixes: ['none'], checkpointInterval: 1, maxSearchWindow: 10, checkpointReached: async (_, { commit }) => void positions.push(commit) });
      const subscription = client.subscribeToAll({ filter });
      await until('a checkpoint at the end of the log', () => positions.at(-1) === 100n);
      await subscription.unsubscribe();
    });
  });

  test('is refused an expression that cannot be run in linear time, and may ask not to match at the start', async () => {
    await withNode({}, async (client) => {
      const refused = client.subscribeToAll({ filter: streamNameFilter({ regex: '(a+)\\1' }) });
      expect((await new Promise<Error>((resolve) => refused.once('error', resolve))).message).toContain('cannot be run');
      const started = client.subscribeToAll({ filter: streamNameFilter({ regex: '^(?!\\$)' }) });
      await new Promise((resolve) => started.once('confirmation', resolve));
      await started.unsubscribe();
    });
  });
});

describe('a system projection that is reset', () => {
  test('writes the links again that were deleted, and no other one twice', async () => {
    await withNode({ dir: folder.path, projections: true }, async (client) => {
      const links = async (stream: string) => {
        const read: string[] = [];
        for await (const { event } of client.readStream(stream)) read.push(Buffer.from(event!.data as Uint8Array).toString());
        return read;
      };
      const count = async (stream: string) => links(stream).then((read) => read.length, () => 0);
      for (const stream of ['order-1', 'order-2', 'bill-1']) await client.appendToStream(stream, [1, 2, 3].map(counted));
      await until('the links are there', async () => (await count('$ce-bill')) === 3 && (await count('$ce-order')) === 6);
      const before = await links('$ce-order');
      await client.deleteStream('$ce-bill');
      await client.resetProjection('$by_category');
      await client.appendToStream('order-3', counted(4));
      await until('the projection has read the log again', async () => (await count('$ce-order')) > 6 && (await count('$ce-bill')) >= 3);
      expect(await links('$ce-order')).toEqual([...before, '0@order-3']);
      expect(await count('$ce-bill')).toBe(3);
      await client.resetProjection('$by_category');
      await client.resetProjection('$by_category');
      await client.appendToStream('order-3', counted(5));
      await until('the projection has read the log once more', async () => (await links('$ce-order')).at(-1) === '1@order-3');
      expect(await count('$ce-order')).toBe(8);
    });
  });

  test('begins again where it was told to when the node stops meanwhile', async () => {
    await withNode({ dir: folder.path, projections: true }, async (client) => {
      await client.appendToStream('order-1', [1, 2, 3].map(counted));
      await until('the links are there', async () => (await client.getProjectionStatus('$by_category')).eventsProcessedAfterRestart >= 3);
      await client.resetProjection('$by_category');
    });
    await withNode({ dir: folder.path, projections: true }, async (client) => {
      await client.appendToStream('order-1', counted(4));
      const links: string[] = [];
      await until('the fourth link', async () => {
        links.length = 0;
        for await (const { event } of client.readStream('$ce-order')) links.push(String(event!.data));
        return links.length >= 4;
      });
      expect(links).toHaveLength(4);
    });
  });
});
