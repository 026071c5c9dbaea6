import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { BlockLog } from '../../../../../src/platform/eventstore/embedded/store/block-log.js';
import { CommitWriter } from '../../../../../src/platform/eventstore/embedded/store/commit-writer.js';
import { Environment } from '../../../../../src/platform/eventstore/embedded/store/environment.js';
import { Indexes } from '../../../../../src/platform/eventstore/embedded/store/indexes.js';
import { decodeMark, JOURNAL_MARK, type Journal } from '../../../../../src/platform/eventstore/embedded/store/journal.js';
import { NameIndex } from '../../../../../src/platform/eventstore/embedded/store/name-index.js';
import { Pending } from '../../../../../src/platform/eventstore/embedded/store/pending.js';
import { StreamIndex } from '../../../../../src/platform/eventstore/embedded/store/stream-index.js';
import { until } from '../../../../support/until.js';
import { temporaryFolder } from '../filled.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let environment: Environment;
let pending: Pending;
/** How often it was looked at what is mapped. */
let looks: number;

beforeEach(async () => {
  looks = 0;
  folder = await temporaryFolder();
  environment = Environment.open(folder.path, true);
  pending = new Pending();
});
afterEach(async () => {
  await environment.close();
  await folder.remove();
});

/** A writer whose journal takes what `takes` says: an entry, none for want of a place, or it fails. */
function writerOn(takes: (sequence: number) => boolean): CommitWriter {
  const journal = { id: Buffer.alloc(16, 1), write: async ({ sequence }: { sequence: number }) => takes(sequence), release: () => undefined, close: () => undefined };
  const indexes = new Indexes(new StreamIndex(environment), new NameIndex(environment), environment);
  return new CommitWriter(environment, new BlockLog(environment, pending, 1), indexes, pending, { look: () => void looks++, noteRemapped: () => undefined }, journal as unknown as Journal);
}

const setting = (name: string, value: string) => ({ blocks: [], settings: new Map([[name, Buffer.from(value)]]), work: [], storesAllIndexes: false });
const stored = (name: string) => environment.settings.get(name)?.toString();

test('a commit that the journal fails to take is stored at once, and what it left in the journal does not count', async () => {
  const sequences: number[] = [];
  const writer = writerOn((sequence) => {
    sequences.push(sequence);
    if (sequence === 2) throw new Error('EIO');
    return true;
  });
  await writer.write(setting('a', 'one'), true);
  expect([stored('a'), pending.setting('a')?.value?.toString()]).toEqual([undefined, 'one']);
  await writer.write(setting('b', 'two'), true);
  expect([stored('a'), stored('b'), pending.isEmpty]).toEqual(['one', 'two', true]);
  expect(decodeMark(environment.settings.get(JOURNAL_MARK)!).stored).toBe(2);
  await writer.write(setting('c', 'three'), true);
  expect(sequences).toEqual([1, 2, 3]);
  await writer.close();
});

test('a commit for which the journal has no place is stored with everything before it', async () => {
  const writer = writerOn((sequence) => sequence === 1);
  await writer.write(setting('a', 'one'), true);
  await writer.write(setting('a', 'two'), true);
  expect([stored('a'), pending.isEmpty]).toEqual(['two', true]);
  await writer.close();
});

test('what is in the journal is stored some time later without being asked, and a close leaves nothing in it', async () => {
  const writer = writerOn(() => true);
  await writer.write(setting('a', 'one'), true);
  await until('it is stored', () => stored('a') === 'one' && pending.isEmpty);
  expect(decodeMark(environment.settings.get(JOURNAL_MARK)!).stored).toBe(1);
  await writer.write(setting('a', 'two'), true);
  await writer.close();
  expect([stored('a'), stored(JOURNAL_MARK)]).toEqual(['two', undefined]);
});

test('after each transaction it is looked at what is mapped, but not after the last one: nothing is to be opened anew then', async () => {
  const writer = writerOn(() => false);
  await writer.write(setting('a', 'one'), true);
  await writer.write(setting('b', 'two'), true);
  expect(looks).toBe(2);
  await writer.close();
  expect(looks).toBe(2);
});
