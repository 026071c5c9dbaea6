import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Refusal } from '../../../../../src/platform/eventstore/embedded/refusals.js';
import { entriesIn, sizeOfEntry, writeEntry, type JournalEntry } from '../../../../../src/platform/eventstore/embedded/store/journal-entry.js';
import { unstoredEntries } from '../../../../../src/platform/eventstore/embedded/store/journal.js';

const id = Buffer.alloc(16, 7);

const bytes = fc.uint8Array({ maxLength: 5000 }).map((array) => Buffer.from(array));
const content = fc.record({
  blocks: fc.array(bytes, { maxLength: 3 }),
  settings: fc.dictionary(fc.string({ minLength: 1, maxLength: 20 }), fc.option(bytes, { nil: undefined }), { maxKeys: 3 }).map((settings) => new Map(Object.entries(settings))),
});
const entries = fc.array(content, { minLength: 1, maxLength: 6 }).map((contents) => contents.map((each, i): JournalEntry => ({ sequence: 1 + i, ...each })));

/** The entries as they lie in a journal of so many bytes. */
function laidOut(written: readonly JournalEntry[], length = 0): Buffer {
  const pages = written.map((entry) => {
    const page = Buffer.alloc(sizeOfEntry(entry));
    writeEntry(page, id, entry);
    return page;
  });
  const all = Buffer.concat(pages);
  return Buffer.concat([all, Buffer.alloc(Math.max(0, length - all.length))]);
}

const found = (journal: Buffer, after = 0): JournalEntry[] => [...entriesIn(journal, id, after)].map(({ sequence, blocks, settings }) => ({ sequence, blocks, settings }));
const startOf = (written: readonly JournalEntry[], at: number): number => laidOut(written.slice(0, at)).length;

test('what was written is read back', () => {
  fc.assert(fc.property(entries, (written) => {
    expect(found(laidOut(written))).toEqual(written);
  }));
});

test('however much of a journal has reached the disk, the entries that are whole are found and no other', () => {
  fc.assert(fc.property(entries, fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean(), (written, share, isPadded) => {
    const whole = laidOut(written);
    const length = Math.floor(share * whole.length);
    const read = found(Buffer.concat([whole.subarray(0, length), Buffer.alloc(isPadded ? whole.length - length : 0)]));
    expect(read).toEqual(written.slice(0, read.length));
    for (const i of written.keys()) if (startOf(written, i + 1) <= length) expect(read.length).toBeGreaterThan(i);
  }));
});

test('a flipped bit in the last entry takes that one away; in an earlier one it is refused', () => {
  fc.assert(fc.property(entries, fc.nat(), fc.nat(), (written, where, bit) => {
    const whole = laidOut(written);
    const at = where % written.length;
    const [start, size] = [startOf(written, at), contentSize(written[at]!)];
    whole[start + (bit >> 3) % size]! ^= 1 << (bit & 7);
    const look = () => unstoredEntries(whole, { id, stored: 0 }).map(({ sequence }) => sequence);
    if (at === written.length - 1) expect(look()).toEqual(written.slice(0, -1).map(({ sequence }) => sequence));
    else expect(look).toThrow(`entry ${at + 1} is not whole`);
  }));
});

test('entries of an earlier round, and those of another journal, are not taken for new ones', () => {
  fc.assert(fc.property(entries, entries, (before, now) => {
    const stored = before.length;
    const later = now.map((entry) => ({ ...entry, sequence: entry.sequence + stored }));
    const old = laidOut(before);
    const journal = Buffer.concat([laidOut(later), old.subarray(Math.min(old.length, laidOut(later).length))]);
    expect(found(journal, stored)).toEqual(later);
    expect([...entriesIn(journal, Buffer.alloc(16, 8), 0)]).toEqual([]);
  }));
});

test('what stands in an event is not taken for an entry', () => {
  const inner = laidOut([{ sequence: 2, blocks: [Buffer.from('never')], settings: new Map() }]);
  // Behind the header, the lengths of both blocks and the first of them, the second begins with a page.
  const outer = { sequence: 1, blocks: [Buffer.alloc(4096 - 48), inner], settings: new Map() };
  expect(laidOut([outer]).indexOf(inner)).toBe(4096);
  expect(found(laidOut([outer]))).toEqual([outer]);
});

test('a journal that is gone is refused where the data file does not hold all of it', () => {
  expect(() => unstoredEntries(undefined, { id, stored: 3 })).toThrow(Refusal);
});

/** The bytes of an entry without what fills its last page. */
function contentSize({ blocks, settings }: JournalEntry): number {
  const parts = [...blocks.map((block) => 4 + block.length), ...[...settings].map(([name, value]) => 8 + Buffer.byteLength(name) + (value?.length ?? 0))];
  return parts.reduce((sum, part) => sum + part, 40);
}
