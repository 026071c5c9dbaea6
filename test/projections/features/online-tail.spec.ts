import { expect, test } from '@jest/globals';
import { encodeChunk } from '../../../src/domain/features/chunk.js';
import type { Batch, EventStore } from '../../../src/platform/eventstore/port.js';
import { RowTail } from '../../../src/projections/features/online/tail.js';
import { until } from '../../support/until.js';

const position = { commit: 5n, prepare: 5n };
const batch = (data: unknown): Batch => ({ events: [{ type: 'FeatureRowsWritten', data, metadata: {}, position } as never], position, live: true });
const rows = encodeChunk({ project: 'p', group: 'g', version: 1, partition: 0, mode: 'BOTH' }, { rows: 1, keys: ['["a"]'], key: [0], timeUs: [1], columns: new Map() });

/** A log whose batches the test hands out, and how often it was followed and left. */
function logOf() {
  const seen = { subscriptions: 0, ended: 0, unreachable: false };
  let hand: (given: Batch) => void = () => {};
  const eventStore = {
    async endOfLog() {
      if (seen.unreachable) throw new Error('unreachable');
      return position;
    },
    async *subscribe({ signal }: { signal: AbortSignal }) {
      seen.subscriptions++;
      signal.addEventListener('abort', () => seen.ended++);
      while (!signal.aborted) yield await new Promise<Batch>((resolve) => (hand = resolve));
    },
  };
  return { seen, deliver: (given: Batch) => hand(given), tail: new RowTail(eventStore as unknown as EventStore) };
}

test('everybody who listens shares one subscription, which ends when the last one leaves', async () => {
  const { seen, deliver, tail } = logOf();
  const heard: string[] = [];
  const listener = (name: string) => ({ heard: () => void heard.push(name), failed: () => {} });
  const leaveA = await tail.listen(listener('a'));
  const leaveB = await tail.listen(listener('b'));
  deliver(batch(rows));
  await until('both have heard', () => heard.length === 2);
  leaveA();
  expect(seen).toMatchObject({ subscriptions: 1, ended: 0 });
  leaveB();
  expect(seen.ended).toBe(1);
  await tail.listen(listener('c'));
  expect(seen.subscriptions).toBe(2);
});

test('a log that cannot be reached fails who listens, and is tried again by the next', async () => {
  const { seen, tail } = logOf();
  seen.unreachable = true;
  await expect(tail.listen({ heard: () => {}, failed: () => {} })).rejects.toThrow('unreachable');
  seen.unreachable = false;
  await tail.listen({ heard: () => {}, failed: () => {} });
  expect(seen.subscriptions).toBe(1);
});

test('rows that cannot be read end the listening with their error instead of silence', async () => {
  const { deliver, tail } = logOf();
  const failures: unknown[] = [];
  await tail.listen({ heard: () => {}, failed: (error) => failures.push(error) });
  deliver(batch({ nonsense: true }));
  await until('it has failed', () => failures.length === 1);
});
