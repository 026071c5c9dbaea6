import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readChunk } from '../../../../src/domain/features/chunk-bytes/read-chunk.js';
import { ChunkCache, EventCache } from '../../../../src/projections/features/history/chunk-cache.js';
import { keptEvent, type HistoryEvent } from '../../../../src/projections/features/history/events.js';
import { chunkOf } from './written.js';

const minute = 60_000;

/** An event of so many rows with two numbers each. */
function eventOf(revision: number, rows: number): HistoryEvent {
  const chunk = chunkOf(Array.from({ length: rows }, (_, row) => ({ key: [`e${row % 100}`], timeUs: 1_700_000_000_000_000 + row * 1_000_000, values: { amount: row % 1000, share: row / 7 } })));
  return { revision: BigInt(revision), position: { commit: BigInt(revision), prepare: BigInt(revision) }, recordedAtUs: 0, block: readChunk(Buffer.from(JSON.stringify(chunk)))! };
}

/** A cache whose clock the test moves. */
function cacheAt(limitBytes: number) {
  const clock = { now: 0 };
  return { clock, cache: new ChunkCache(limitBytes, () => clock.now) };
}

const revisions = (cache: ChunkCache, stream: string) => cache.beginning(stream).map(({ revision }) => Number(revision));

describe('the history kept in memory', () => {
  test('never takes more than its limit, and holds the beginnings of streams without a gap', () => {
    const offers = fc.array(fc.record({ stream: fc.constantFrom('a', 'b', 'c'), revision: fc.nat(6), rows: fc.integer({ min: 1, max: 200 }), passedMs: fc.constantFrom(0, minute) }), { maxLength: 40 });
    fc.assert(
      fc.property(offers, fc.integer({ min: 0, max: 20_000 }), (offered, limit) => {
        const { cache, clock } = cacheAt(limit);
        for (const { stream, revision, rows, passedMs } of offered) {
          clock.now += passedMs;
          cache.offer(stream, eventOf(revision, rows));
          const held = ['a', 'b', 'c'].map((one) => cache.beginning(one));
          expect(cache.heldBytes).toBeLessThanOrEqual(limit);
          expect(cache.heldBytes).toBe(held.flat().reduce((sum, event) => sum + keptEvent(event).bytes, 0));
          for (const events of held) expect(events.map((event) => Number(event.revision))).toEqual(events.map((_, at) => at));
        }
      }),
      { numRuns: 200 },
    );
  });

  test('is not pushed out by a replay that is too large for it, until nobody has read it for a minute', () => {
    const { cache, clock } = cacheAt(1.5 * keptEvent(eventOf(0, 100)).bytes);
    const replayAll = () => ['a', 'b'].forEach((stream) => (cache.beginning(stream), cache.offer(stream, eventOf(0, 100))));
    replayAll();
    replayAll();
    expect([revisions(cache, 'a'), revisions(cache, 'b')]).toEqual([[0], []]);
    clock.now += minute;
    cache.offer('b', eventOf(0, 100));
    expect([revisions(cache, 'a'), revisions(cache, 'b')]).toEqual([[], [0]]);
  });

  test('takes less than thirty bytes a row of two numbers, however they were written', () => {
    const rows = 8000;
    expect(keptEvent(eventOf(0, rows)).bytes / rows).toBeLessThan(30);
  });

  test('of single events never takes more than its limit, and forgets what was asked for longest ago', () => {
    const { bytes } = keptEvent(eventOf(0, 100));
    const cache = new EventCache(2.5 * bytes);
    const has = (revision: number) => cache.get('s', BigInt(revision)) !== undefined;
    cache.keep('s', eventOf(0, 100));
    cache.keep('s', eventOf(1, 100));
    expect(has(0)).toBe(true);
    cache.keep('s', eventOf(2, 100));
    expect([0, 1, 2].map(has)).toEqual([true, false, true]);
    cache.keep('s', eventOf(3, 4000));
    expect([0, 1, 2, 3].map(has)).toEqual([true, false, true, false]);
  });
});
