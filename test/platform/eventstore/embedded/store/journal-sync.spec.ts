import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';

/** What was asked of the disk since it was last looked at, and what waits for it. */
let asked: string[] = [];
let waiting: (() => void) | undefined;

// The journal takes the functions when it is loaded, and nobody else sees these.
const fs = process.getBuiltinModule('node:fs');
const { writeSync, fdatasync, fdatasyncSync } = fs;
Object.assign(fs, {
  writeSync: (...given: Parameters<typeof writeSync>) => (asked.push('write'), writeSync(...given)),
  fdatasyncSync: (file: number) => (asked.push('sync'), fdatasyncSync(file)),
  fdatasync: (file: number, done: (error: Error | null) => void) => {
    asked.push('sync');
    waiting = () => fdatasync(file, done);
  },
});
const { Journal } = await import('../../../../../src/platform/eventstore/embedded/store/journal.js');
Object.assign(fs, { writeSync, fdatasync, fdatasyncSync });
const { temporaryFolder } = await import('../filled.js');

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => void (folder = await temporaryFolder()));
afterEach(() => folder.remove());

const entry = (sequence: number, bytes: number) => ({ sequence, blocks: [Buffer.alloc(bytes)], settings: new Map() });

test('a small entry is on the disk before it is said to be', async () => {
  const journal = Journal.begin(folder.path);
  asked = [];
  expect(await journal.write(entry(1, 100))).toBe(true);
  expect(asked).toEqual(['write', 'sync']);
  journal.close();
});

test('so is a large one, however long the disk takes', async () => {
  const journal = Journal.begin(folder.path);
  asked = [];
  let isWritten = false;
  const writing = journal.write(entry(1, 200_000)).then(() => (isWritten = true));
  for (let turns = 0; waiting === undefined && turns < 100_000; turns++) await turn();
  expect([asked, isWritten]).toEqual([['sync'], false]);
  await turn();
  expect(isWritten).toBe(false);
  waiting!();
  await writing;
  journal.close();
});
