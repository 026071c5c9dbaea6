import { afterEach, beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Journal, JOURNAL_FILE, type JournalMark } from '../../../../../src/platform/eventstore/embedded/store/journal.js';
import { temporaryFolder } from '../filled.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('write' as const), bytes: fc.oneof(fc.integer({ min: 1, max: 9_000 }), fc.integer({ min: 100_000, max: 500_000 })) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('store' as const), share: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill' as const) }) },
);

test('whatever is written and stored, whenever the node is killed, what is not stored is found, in order', async () => {
  const seen = { refused: 0, killed: 0, turnedOver: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }), async (steps) => {
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
          else {
            expect(mark.stored).toBeLessThan(last);
            seen.refused++;
          }
        } else if (each.do === 'store') {
          mark = { ...mark, stored: mark.stored + Math.floor(each.share * (last - mark.stored)) };
          journal.release(mark.stored);
        } else {
          journal.close();
          const resumed = Journal.resume(folder.path, mark);
          journal = resumed.journal;
          expect(resumed.entries.map(({ sequence }) => sequence)).toEqual(Array.from({ length: last - mark.stored }, (_, i) => mark.stored + 1 + i));
          seen.killed++;
          if (written(sizes, last) > FILE_BYTES) seen.turnedOver++;
          for (const { sequence, blocks } of resumed.entries) expect(blocks[0]!.equals(Buffer.alloc(sizes.get(sequence)!, sequence))).toBe(true);
        }
      }
      journal.close();
    }),
    { numRuns: 60 },
  );
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(5);
});

const FILE_BYTES = 4 * 1024 * 1024;
const written = (sizes: ReadonlyMap<number, number>, last: number): number => [...sizes].reduce((sum, [sequence, bytes]) => sum + (sequence <= last ? bytes : 0), 0);

/** Four of them fill a segment to its last byte. */
const quarter = (sequence: number) => ({ sequence, blocks: [Buffer.alloc(512 * 1024 - 44, sequence)], settings: new Map() });

test.each([0, 1, 2, 3, 4, 5, 8])('a node that is killed over %d entries never writes over what is not stored, and goes on once it is', async (before) => {
  let journal = Journal.begin(folder.path);
  const mark = (stored: number): JournalMark => ({ id: journal.id, stored });
  for (let n = 1; n <= before; n++) expect(await journal.write(quarter(n))).toBe(true);
  journal.close();
  journal = Journal.resume(folder.path, mark(0)).journal;
  for (let n = before + 1; n <= 8; n++) expect(await journal.write(quarter(n))).toBe(true);
  expect(await journal.write(quarter(9))).toBe(false);
  journal.release(3);
  expect(await journal.write(quarter(9))).toBe(false);
  journal.release(4);
  expect(await journal.write(quarter(9))).toBe(true);
  journal.close();
  const resumed = Journal.resume(folder.path, mark(4));
  expect(resumed.entries.map(({ sequence }) => sequence)).toEqual([5, 6, 7, 8, 9]);
  for (let n = 10; n <= 12; n++) expect(await resumed.journal.write(quarter(n))).toBe(true);
  expect(await resumed.journal.write(quarter(13))).toBe(false);
  resumed.journal.close();
});

test('a file that is no whole journal is replaced by one', async () => {
  await writeFile(join(folder.path, JOURNAL_FILE), 'cut off');
  const journal = Journal.begin(folder.path);
  expect(await journal.write(quarter(1))).toBe(true);
  journal.close();
  expect(Journal.resume(folder.path, { id: journal.id, stored: 0 }).entries).toMatchObject([{ sequence: 1 }]);
});

test('an entry that could never have a place is left to LMDB', async () => {
  const journal = Journal.begin(folder.path);
  expect(await journal.write({ sequence: 1, blocks: [Buffer.alloc(1024 * 1024)], settings: new Map() })).toBe(false);
  journal.close();
});
