import { DuckDBInstance } from '@duckdb/node-api';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { CompressionType, compressionRegistry, Decimal, makeData, makeVector, RecordBatchFileWriter, Table, tableFromArrays, Timestamp, TimeUnit, Uint64, vectorFromArray } from 'apache-arrow';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { arrowBatches } from '../../../src/platform/rows/arrow.js';
import { lz4Frames, takeCompressed } from '../../../src/platform/rows/arrow-compression.js';

/** A frame of blocks as they stand; those that are compressed may repeat what stands in earlier ones. */
function frameOf(...blocks: { bytes: Uint8Array; compressed: boolean }[]): Buffer {
  const parts = blocks.flatMap(({ bytes, compressed }) => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE((compressed ? 0 : 0x80000000) + bytes.length);
    return [size, bytes];
  });
  return Buffer.concat([Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x40, 0x70, 0]), ...parts, Buffer.alloc(4)]);
}
const as = (text: string) => ({ bytes: Buffer.from(text), compressed: false });

async function read(bytes: Uint8Array): Promise<Record<string, unknown[]>> {
  const dir = await mkdtemp(join(tmpdir(), 'tarl-test-feather-'));
  try {
    await writeFile(join(dir, 'a'), bytes);
    await using file = await open(join(dir, 'a'));
    for await (const { columns } of arrowBatches(file, 100_000)) return Object.fromEntries(columns) as Record<string, unknown[]>;
    throw new Error('no rows');
  } finally {
    await rm(dir, { recursive: true });
  }
}
const written = (table: Table, compressionType?: CompressionType): Uint8Array => {
  const writer = new RecordBatchFileWriter({ compressionType });
  writer.writeAll(table.batches);
  writer.finish();
  return writer.toUint8Array(true);
};

describe('LZ4 frames', () => {
  test('are read as the reference encoder compresses them', async () => {
    const duck = await (await DuckDBInstance.create()).connect();
    const dir = await mkdtemp(join(tmpdir(), 'tarl-test-lz4-'));
    const path = join(dir, 'a.parquet');
    await duck.run(`copy (select i, i % 7 as small, repeat('ab', (i % 50)::int) || i as said, hash(i)::varchar as noise from range(20000) t(i)) to '${path}' (format parquet, compression lz4_raw, dictionary_size_limit 0)`);
    const LZ4_RAW = (input: Uint8Array) => lz4Frames(frameOf({ bytes: input, compressed: true }));
    const rows = await parquetReadObjects({ file: await asyncBufferFromFile(path), compressors: { LZ4_RAW } });
    const expected = (await duck.runAndReadAll('select i, i % 7 as small, repeat(\'ab\', (i % 50)::int) || i as said, hash(i)::varchar as noise from range(20000) t(i)')).getRowObjectsJS();
    expect(rows).toEqual(expected);
    await rm(dir, { recursive: true });
  });

  test('may repeat what stands in blocks before, and come one after another', () => {
    // Twenty bytes, from nine before on: "later now" twice and a bit; then the last literals.
    const repeating = Buffer.from([0x0f, 9, 0, 1, 0x10, 0x21]);
    const first = frameOf(as('now and later now'), { bytes: repeating, compressed: true });
    expect(Buffer.from(lz4Frames(first)).toString()).toBe(`now and later now${'later now'.repeat(3).slice(0, 20)}!`);
    expect(Buffer.from(lz4Frames(Buffer.concat([frameOf(as('one ')), frameOf(as('two'))]))).toString()).toBe('one two');
    expect(lz4Frames(frameOf())).toHaveLength(0);
  });

  test.each([
    ['is none', Buffer.from('no frame at all'), /no LZ4 frame/],
    ['breaks off', frameOf(as('abcdefgh')).subarray(0, 15), /breaks off/],
    ['repeats what is not there', frameOf({ bytes: Buffer.from([0x10, 0x61, 9, 0, 0]), compressed: true }), /damaged/],
    ['is longer than it may be', frameOf({ bytes: Buffer.concat([Buffer.from([0x1f, 0x61, 1, 0]), Buffer.alloc(20_000, 255), Buffer.from([0])]), compressed: true }), /damaged/],
  ])('that %s is refused', (_, frame, words) => {
    expect(() => lz4Frames(frame)).toThrow(words);
  });
});

describe('a Feather file', () => {
  const table = tableFromArrays({ id: BigInt64Array.from({ length: 5000 }, (_, at) => BigInt(at)), x: Float64Array.from({ length: 5000 }, (_, at) => at / 7), said: Array.from({ length: 5000 }, (_, at) => `text ${at % 9}`) });
  beforeAll(takeCompressed);

  test.each(['ZSTD', 'LZ4_FRAME'] as const)('that is compressed by %s, as pandas may write it, is read', async (type) => {
    const codec = compressionRegistry.get(CompressionType[type])!;
    compressionRegistry.set(CompressionType.LZ4_FRAME, { encode: (bytes) => frameOf({ bytes, compressed: false }), decode: lz4Frames });
    const compressed = written(table, CompressionType[type]);
    compressionRegistry.set(CompressionType[type], codec);
    if (type === 'ZSTD') expect(compressed.length).toBeLessThan((written(table)).length);
    expect(await read(compressed)).toEqual(await read(written(table)));
  });

  test('has decimals to the last digit, whole numbers beyond 64 bits, and nanoseconds', async () => {
    const words = (value: bigint) => Uint32Array.from({ length: 4 }, (_, at) => Number(BigInt.asUintN(32, value >> BigInt(32 * at))));
    const prices = Array.from({ length: 2000 }, (_, at) => (at === 3 ? null : words(BigInt(at - 1000))));
    const nanos = makeVector(makeData({ type: new Timestamp(TimeUnit.NANOSECOND), length: 2000, data: BigInt64Array.from({ length: 2000 }, (_, at) => BigInt(-at) * 1500n) }));
    const decimals = new Table({ price: vectorFromArray(prices, new Decimal(2, 10, 128)), large: vectorFromArray(prices.map((value) => value && words(-(2n ** 100n))), new Decimal(0, 38, 128)), unsigned: vectorFromArray(prices.map(() => 2n ** 64n - 1n), new Uint64()), nanos });
    const { price, large, unsigned, nanos: times } = await read(written(decimals));
    expect(price).toEqual(Array.from({ length: 2000 }, (_, at) => (at === 3 ? null : Number(((at - 1000) / 100).toFixed(2)) + 0)));
    expect([large![0], unsigned![0], times!.slice(0, 3)]).toEqual([-(2n ** 100n), 2n ** 64n - 1n, [0, -2, -3]]);
  });
});
