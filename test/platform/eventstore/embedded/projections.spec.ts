import { expect, jest, test } from '@jest/globals';
import { EventStoreDBClient, binaryEvent, jsonEvent } from '@eventstore/db-client';
import { randomUUID } from 'node:crypto';
import { Projections } from '../../../../src/platform/eventstore/embedded/projections/projections.js';
import type { CommitWriter } from '../../../../src/platform/eventstore/embedded/store/commit-writer.js';
import { EventStore } from '../../../../src/platform/eventstore/embedded/store/event-store.js';
import { NoRoom } from '../../../../src/platform/eventstore/embedded/store/transaction.js';
import { until } from '../../../support/until.js';
import { withNode } from './filled.js';

const event = (type = 'T') => jsonEvent({ type, data: {} });

async function links(client: EventStoreDBClient, stream: string): Promise<{ to: string; deleted: unknown }[]> {
  const read: { to: string; deleted: unknown }[] = [];
  for await (const { event: link } of client.readStream(stream)) read.push({ to: Buffer.from(link!.data as Uint8Array).toString(), deleted: (link!.metadata as Record<string, unknown>)['$deleted'] });
  return read;
}
const linked = async (client: EventStoreDBClient, stream: string) => (await links(client, stream)).map(({ to }) => to);

/** Appends one more event and waits until it is linked, and so everything before it. */
async function settled(client: EventStoreDBClient): Promise<void> {
  await client.appendToStream('last-1', event('Last'));
  for (const stream of ['$ce-last', '$et-Last', '$category-last']) await until(`the link in ${stream}`, async () => (await linked(client, stream).catch(() => [])).length > 0);
}

test('a category has the events of its streams, their links and their ends, but not their other metadata', async () => {
  await withNode({ projections: true }, async (client) => {
    await client.appendToStream('cat-1', [event(), event()]);
    await client.setStreamMetadata('cat-1', { maxCount: 10 });
    await client.appendToStream('cat-2', event());
    await client.deleteStream('cat-2');
    await client.appendToStream('cat-2', event());
    await client.tombstoneStream('cat-1');
    await client.appendToStream('cat-3', binaryEvent({ type: '$>', data: Buffer.from('0@elsewhere') }));
    await client.appendToStream('cat', event());
    await client.appendToStream('-cat', event());
    await settled(client);
    expect(await links(client, '$ce-cat')).toEqual([
      { to: '0@cat-1', deleted: undefined },
      { to: '1@cat-1', deleted: undefined },
      { to: '0@cat-2', deleted: undefined },
      { to: '0@$$cat-2', deleted: -1 },
      { to: '1@cat-2', deleted: undefined },
      { to: '9223372036854775807@cat-1', deleted: -1 },
      { to: '0@elsewhere', deleted: undefined },
    ]);
    expect(await linked(client, '$category-cat')).toEqual(['cat-1', 'cat-2', 'cat-3']);
  });
});

test('the ends of streams are events of a type of their own', async () => {
  await withNode({ projections: true }, async (client) => {
    for (const stream of ['a', 'b']) await client.appendToStream(stream, event());
    await client.setStreamMetadata('a', { maxCount: 3 });
    await client.deleteStream('a');
    await client.tombstoneStream('b');
    await settled(client);
    expect(await linked(client, '$et-$deleted')).toEqual(['1@a', '9223372036854775807@b']);
    expect(await linked(client, '$et-$metadata')).toContain('0@a');
    expect(await linked(client, '$et-T')).toEqual(['0@a', '0@b']);
  });
});

test('the list of streams has those that projections write too', async () => {
  await withNode({ projections: true }, async (client) => {
    await client.appendToStream('cat-1', [event(), event()]);
    await settled(client);
    await until('the streams of links are listed', async () => {
      const streams = await linked(client, '$streams');
      return ['0@cat-1', '0@$ce-cat', '0@$et-T', '0@$$$ce-cat', '0@$streams'].every((each) => streams.includes(each));
    });
    const streams = await linked(client, '$streams');
    expect(new Set(streams).size).toBe(streams.length);
    expect(await linked(client, '$ce-cat')).toEqual(['0@cat-1', '1@cat-1']);
  });
});

test('a commit of links that fails, as on a full disk, is made up for when there is room', async () => {
  const store = await EventStore.open(undefined);
  const projections = new Projections(store);
  const event = { id: randomUUID(), type: Buffer.from('T'), isJson: true, metadata: Buffer.alloc(0), data: Buffer.from('{}') };
  await new Promise<void>((resolve) => store.append('cat-1', 'any', [event], () => resolve()));
  const said = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  const { writer } = store as unknown as { writer: CommitWriter };
  jest.spyOn(writer, 'write').mockImplementationOnce(() => Promise.reject(new NoRoom()));
  projections.start();
  await until('the link is there', () => store.streams.get('$ce-cat').committed.last >= 0);
  expect(said).toHaveBeenCalledTimes(1);
  await projections.stop();
  expect(store.streams.get('$ce-cat').committed.last).toBe(0);
  expect(store.streams.get('$et-T').committed.last).toBe(0);
  said.mockRestore();
  await store.close();
});
