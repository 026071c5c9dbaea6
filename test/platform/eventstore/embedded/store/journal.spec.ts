import { afterEach, beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Journal, type JournalMark } from '../../../../../src/platform/eventstore/embedded/store/journal.js';
import { temporaryFolder } from '../filled.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('write' as const), bytes: fc.oneof(fc.integer({ min: 1, max: 9_000 }), fc.integer({ min: 100_000, max: 500_000 })) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('store' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill' as const) }) },
);

test('whatever is written and stored, whenever the node is killed, what is not stored is found, in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
      let journal = Journal.begin(folder.path);
      let mark: JournalMark = { id: journal.id, stored: 0 };
      let last = 0;
      const sizes = new Map<number, number>();
      for (const each of steps) {
        if (each.do === 'write') {
          const sequence = last + 1;
          const isWritten = await journal.write({ sequence, blocks: [Buffer.alloc(each.bytes, sequence)], settings: new Map() });
          if (isWritten) sizes.set((last = sequence), each.bytes);
          // A segment at least is free when everything is stored.
          else expect(mark.stored).toBeLessThan(last);
        } else if (each.do === 'store') {
          mark = { ...mark, stored: mark.stored + Math.floor(each.share * (last - mark.stored)) };
          journal.release(mark.stored);
        } else {
          journal.close();
          const resumed = Journal.resume(folder.path, mark);
          journal = resumed.journal;
          expect(resumed.entries.map(({ sequence }) => sequence)).toEqual(Array.from({ length: last - mark.stored }, (_, i) => mark.stored + 1 + i));
          for (const { sequence, blocks } of resumed.entries) expect(blocks[0]!.equals(Buffer.alloc(sizes.get(sequence)!, sequence))).toBe(true);
        }
      }
      journal.close();
    }),
    { numRuns: 25 },
  );
});

test('an entry that could never have a place is left to LMDB', async () => {
  const journal = Journal.begin(folder.path);
  expect(await journal.write({ sequence: 1, blocks: [Buffer.alloc(1024 * 1024)], settings: new Map() })).toBe(false);
  journal.close();
});
