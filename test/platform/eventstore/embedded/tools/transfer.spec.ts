import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { jsonEvent } from '@eventstore/db-client';
import fc from 'fast-check';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromLine, toLine, type LoggedEvent } from '../../../../../src/platform/eventstore/embedded/tools/transfer/logged-event.js';
import { verifyStore } from '../../../../../src/platform/eventstore/embedded/tools/verify.js';
import { tarl } from '../../../../support/tarl.js';
import { fill, temporaryFolder, withNode } from '../filled.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const inFolder = (name: string) => join(folder.path, name);

beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

async function eventstore(...args: string[]): Promise<string> {
  const command = tarl(['eventstore', ...args]);
  const code = await command.ended;
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${command.output.err}`);
  return command.output.out;
}

type Line = Record<string, unknown> & { stream: string; revision: string; position: string; created: string; metadata?: Record<string, unknown> };
const linesOf = async (file: string): Promise<Line[]> => (await readFile(file, 'utf8')).trimEnd().split('\n').map((line) => JSON.parse(line) as Line);
/** A tombstone is no event of the user's: a server gives it an id of its own. */
const withoutPosition = ({ position: _, ...line }: Line) => (line['type'] === '$streamDeleted' ? { ...line, id: '' } : line);
/** Streams by name, as a reader of each of them sees it. */
const byStream = (lines: readonly Line[]) => Map.groupBy(lines.map(withoutPosition), ({ stream }) => stream);

test('an event is the same after a line of JSON, whatever its bytes', () => {
  const bytes = fc.oneof(fc.json().map((text) => Buffer.from(text)), fc.uint8Array().map((array) => Buffer.from(array)), fc.constantFrom('{"$tb":9223372036854775807}', ' {}', '1.0', '"\\ud800"', '').map((text) => Buffer.from(text)));
  const event = fc.record<LoggedEvent>({
    position: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((commit) => ({ commit, prepare: commit })),
    stream: fc.string({ unit: 'grapheme' }), revision: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), id: fc.uuid(), type: fc.string({ unit: 'grapheme' }),
    isJson: fc.boolean(), data: bytes, metadata: bytes, createdTicks: fc.bigInt({ min: 0n, max: 10n ** 17n }),
  });
  fc.assert(fc.property(event, (one) => expect(fromLine(toLine(one))).toEqual(one)));
});

describe('a log that is exported and imported into a folder', () => {
  test('has the same streams, with ids, revisions, bytes and times as they were', async () => {
    await withNode({ dir: inFolder('log') }, (client) => fill(client));
    await eventstore('export', '--dir', inFolder('log'), '--to', inFolder('log.ndjson'));
    await eventstore('import', '--dir', inFolder('again'), '--from', inFolder('log.ndjson'));
    expect(await verifyStore(inFolder('again'))).toMatchObject({ problemCount: 0 });
    await eventstore('export', '--dir', inFolder('again'), '--to', inFolder('again.ndjson'));
    const [before, after] = [byStream(await linesOf(inFolder('log.ndjson'))), byStream(await linesOf(inFolder('again.ndjson')))];
    expect(after.keys().toArray().sort()).toEqual(before.keys().toArray().sort());
    for (const [stream, lines] of before) if (stream !== '$$s-4') expect(after.get(stream)).toEqual(lines);
    // The node itself notes that a deleted stream is written again, as it did the first time.
    expect(after.get('$$s-4')!.at(-1)).toMatchObject({ data: before.get('$$s-4')!.at(-1)!['data'] });
  });

  test('is not written twice when the import is repeated, and goes on where it was broken off', async () => {
    await withNode({ dir: inFolder('log') }, (client) => fill(client));
    await eventstore('export', '--dir', inFolder('log'), '--to', inFolder('log.ndjson'));
    const lines = (await readFile(inFolder('log.ndjson'), 'utf8')).split('\n');
    await writeFile(inFolder('broken.ndjson'), [...lines.slice(0, 700), '{"position":"70'].join('\n'));
    const broken = tarl(['eventstore', 'import', '--dir', inFolder('again'), '--from', inFolder('broken.ndjson')]);
    expect(await broken.ended).toBe(1);
    expect(broken.output.err).toMatch(/^Line 701 is not one of an exported log: .*\. Everything up to position \d+ is written\.$/m);
    for (let i = 0; i < 2; i++) await eventstore('import', '--dir', inFolder('again'), '--from', inFolder('log.ndjson'));
    await eventstore('export', '--dir', inFolder('again'), '--to', inFolder('again.ndjson'));
    const ofData = (all: Line[]) => byStream(all.filter(({ stream, type }) => !stream.startsWith('$$') && type !== '$streamDeleted'));
    expect(ofData(await linesOf(inFolder('again.ndjson')))).toEqual(ofData(await linesOf(inFolder('log.ndjson'))));
  });
});

test('an export that was broken off in the middle of a line goes on and ends as if it had not been', async () => {
  await withNode({ dir: inFolder('log') }, (client) => fill(client));
  await eventstore('export', '--dir', inFolder('log'), '--to', inFolder('whole.ndjson'));
  const whole = await readFile(inFolder('whole.ndjson'));
  await writeFile(inFolder('part.ndjson'), whole);
  await truncate(inFolder('part.ndjson'), whole.length - 5_000);
  await eventstore('export', '--dir', inFolder('log'), '--to', inFolder('part.ndjson'), '--resume');
  expect(await readFile(inFolder('part.ndjson'))).toEqual(whole);
});

test('a log moves to a server and back over the wire, while both ends run, with the times noted in the metadata', async () => {
  await withNode({ dir: inFolder('log') }, async (client, from) => {
    await fill(client);
    await withNode({}, async (other, to) => {
      await eventstore('copy', '--from', inFolder('log'), '--to', to);
      const [original, moved] = await Promise.all([client, other].map(async (reader) => {
        const events = [];
        for await (const { event } of reader.readStream('s-7')) events.push(event!);
        return events;
      }));
      expect(moved!.map(({ id, revision, data, type }) => ({ id, revision, data, type }))).toEqual(original!.map(({ id, revision, data, type }) => ({ id, revision, data, type })));
      expect(moved![0]!.metadata).toEqual({ by: 'a test', $created: original![0]!.created.toISOString() });
      await expect(other.appendToStream('s-5', jsonEvent({ type: 'No', data: {} }))).rejects.toMatchObject({ type: 'stream-deleted' });
      await eventstore('export', '--url', to, '--to', inFolder('moved.ndjson'));
      await eventstore('export', '--url', from, '--to', inFolder('log.ndjson'));
      const [before, after] = [byStream(await linesOf(inFolder('log.ndjson'))), byStream(await linesOf(inFolder('moved.ndjson')))];
      const noted = (line: Omit<Line, 'position'>) => {
        const { $created, ...metadata } = (line['metadata'] ?? {}) as Record<string, unknown>;
        return { ...line, created: $created, metadata };
      };
      for (const [stream, lines] of before) {
        if (stream.startsWith('$') || stream === 's-binary' || stream === 's-5') continue;
        expect(after.get(stream)!.map(noted)).toEqual(lines.map((line) => ({ ...line, metadata: line['metadata'] ?? {} })));
      }
    });
  });
});
