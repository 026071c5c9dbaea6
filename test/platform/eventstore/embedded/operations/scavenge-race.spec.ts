import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { scavenge } from '../../../../../src/platform/eventstore/embedded/operations/scavenge.js';
import { EventStore } from '../../../../../src/platform/eventstore/embedded/store/event-store.js';
import { verifyStore } from '../../../../../src/platform/eventstore/embedded/tools/verify.js';
import { NO_BYTES } from '../../../../../src/platform/eventstore/embedded/wire/recorded-event.js';
import { temporaryFolder } from '../filled.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

test('a scavenge that begins while many blocks are being written leaves no way to events that it took away', async () => {
  const store = await EventStore.open(folder.path);
  const event = (type: string, data: Buffer) => ({ id: randomUUID(), type: Buffer.from(type), isJson: true, metadata: NO_BYTES, data });
  const append = (stream: string, events: ReturnType<typeof event>[]) => store.append(stream, 'any', events, () => undefined);
  append('$$latest', [event('$metadata', Buffer.from('{"$maxCount":1}'))]);
  append('latest', Array.from({ length: 500 }, () => event('Value', Buffer.from(JSON.stringify({ fill: 'x'.repeat(300) })))));
  const removed = await scavenge(store, new AbortController().signal);
  expect(removed.events).toBeLessThan(500);
  await store.close();
  expect(await verifyStore(folder.path)).toMatchObject({ problems: [] });
});
