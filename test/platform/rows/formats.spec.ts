import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeData, makeVector, RecordBatchFileWriter, Table, tableFromIPC, Timestamp, TimeUnit, vectorFromArray } from 'apache-arrow';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArrowWriter } from '../../../src/platform/rows/arrow-writer.js';
import { arrowBatches } from '../../../src/platform/rows/arrow.js';
import type { RowBatch } from '../../../src/platform/rows/batch.js';
import { csvBatches } from '../../../src/platform/rows/csv.js';
import { ndjsonBatches } from '../../../src/platform/rows/ndjson.js';
import { ParquetTableWriter } from '../../../src/platform/rows/parquet-writer.js';
import { openParquet } from '../../../src/platform/rows/parquet.js';
import { piecesOf, typeOfValues, type TypedColumn, type TypedTable } from '../../../src/platform/rows/typed.js';

const timeUs = Date.UTC(2184, 5, 1) * 1000 + 123_457;
const values: Record<string, { type: TypedColumn['type']; dimensions?: number; values: unknown[] }> = {
  whole: { type: 'INT64', values: ['9007199254740993', -7, null] },
  real: { type: 'DOUBLE', values: [0.1, null, -1e300] },
  said: { type: 'STRING', values: ['a "b",\n\u{1F600} ü', '', null] },
  yes: { type: 'BOOL', values: [true, false, null] },
  seen: { type: 'TIMESTAMP', values: [timeUs, null, -1] },
  list: { type: 'DOUBLE_LIST', values: [[1, 2.5], [], null] },
  embedding: { type: 'DOUBLE_LIST', dimensions: 2, values: [[1, 2], null, [3, 4]] },
};
const columns = Object.entries(values).map(([name, { type, dimensions, values: own }]): TypedColumn => ({ name, type, dimensions, at: (row) => own[row % 3] }));
/** The types that the formats say themselves. */
const types = new Map(columns.filter(({ type }) => type !== 'DOUBLE_LIST').map(({ name, type }) => [name, type]));
const tablesOf = async function* (...rows: number[]): AsyncGenerator<TypedTable> {
  for (const count of rows) yield { rows: count, columns };
};
/** What is read back: whole numbers of 64 bits as bigint. */
const read = Object.fromEntries(Object.entries(values).map(([name, { type, values: own }]) => [name, type === 'INT64' ? own.map((value) => (value === null ? null : BigInt(value as string))) : own]));

const arrowPieces = (tables: AsyncIterable<TypedTable>) => piecesOf(new ArrowWriter(), tables);
const parquetPieces = (tables: AsyncIterable<TypedTable>) => piecesOf(new ParquetTableWriter(), tables);

let dir: string;
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), 'tarl-test-formats-'))));
afterAll(() => rm(dir, { recursive: true }));

async function listed<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await listed(pieces));
}
const chunks = async function* (bytes: Uint8Array, size = 1000) {
  for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size));
};
const gathered = async (batches: AsyncIterable<RowBatch>) => (await listed(batches)).map(({ first, rows, columns: own }) => ({ first, rows, columns: Object.fromEntries(own) }));

describe('an Arrow stream', () => {
  test('holds every type, null and row in its order, and is read back', async () => {
    const bytes = await bytesOf(arrowPieces(tablesOf(3, 0, 3)));
    const table = tableFromIPC(bytes);
    expect(table.schema.fields.map(({ name, type }) => [name, String(type)])).toEqual([
      ['whole', 'Int64'], ['real', 'Float64'], ['said', 'Utf8'], ['yes', 'Bool'], ['seen', 'Timestamp<MICROSECOND, UTC>'], ['list', 'List<Float64>'], ['embedding', 'FixedSizeList[2]<Float64>'],
    ]);
    expect(table.numRows).toBe(6);
    expect((await listed(arrowBatches(chunks(bytes), 10)))[0]!.types).toEqual(types);
    const [first, second] = await gathered(arrowBatches(chunks(bytes), 10));
    expect(first).toEqual({ first: 1, rows: 3, columns: read });
    expect(second).toEqual({ first: 4, rows: 3, columns: read });
  });

  test('has record batches of bounded size, each sent on its own', async () => {
    const pieces = await listed(arrowPieces(tablesOf(150_000)));
    expect(pieces).toHaveLength(4);
    const table = tableFromIPC(Buffer.concat(pieces));
    expect(table.batches.map(({ numRows }) => numRows)).toEqual([65_536, 65_536, 18_928]);
    expect(table.getChild('whole')!.get(149_997)).toBe(9_007_199_254_740_993n);
  });

  test('of no rows still names its columns, and one of no tables is valid too', async () => {
    expect(tableFromIPC(await bytesOf(arrowPieces(tablesOf(0)))).schema.fields).toHaveLength(7);
    expect(tableFromIPC(await bytesOf(arrowPieces(tablesOf()))).numRows).toBe(0);
  });

  test('that breaks off or is something else is refused with a sentence', async () => {
    const bytes = await bytesOf(arrowPieces(tablesOf(3, 3)));
    await expect(gathered(arrowBatches(chunks(bytes.subarray(0, bytes.length * 0.75)), 10))).rejects.toThrow(/Arrow data/);
    await expect(gathered(arrowBatches(chunks(Buffer.from('a,b\n1,2\n3,4\n')), 10))).rejects.toThrow(/Arrow data/);
    await expect(gathered(arrowBatches(chunks(Buffer.alloc(0)), 10))).rejects.toThrow(/Arrow data/);
  });

  test('and a file in its format give times of every unit as microseconds', async () => {
    const of = (unit: TimeUnit, value: bigint) => makeVector(makeData({ type: new Timestamp(unit, 'UTC'), length: 1, nullCount: 0, data: BigInt64Array.of(value) }));
    const table = new Table({ s: of(TimeUnit.SECOND, 2n), ms: of(TimeUnit.MILLISECOND, 2001n), us: of(TimeUnit.MICROSECOND, 2_001_001n), ns: of(TimeUnit.NANOSECOND, 2_001_001_999n), word: vectorFromArray(['a']) });
    const path = join(dir, 'a.feather');
    await writeFile(path, RecordBatchFileWriter.writeAll(table).toUint8Array(true));
    await using file = await open(path);
    expect(await gathered(arrowBatches(file, 10))).toEqual([{ first: 1, rows: 1, columns: { s: [2_000_000], ms: [2_001_000], us: [2_001_001], ns: [2_001_001], word: ['a'] } }]);
  });
});

describe('a Parquet file', () => {
  test('holds every type, null and row in its order, as an independent reader says', async () => {
    const path = join(dir, 'all.parquet');
    await writeFile(path, await bytesOf(parquetPieces(tablesOf(3, 0, 3))));
    const duck = await (await DuckDBInstance.create()).connect();
    const described = await (await duck.runAndReadAll(`describe select * from '${path}'`)).getRowsJson();
    expect(described.map(([name, type]) => [name, type])).toEqual([
      ['whole', 'BIGINT'], ['real', 'DOUBLE'], ['said', 'VARCHAR'], ['yes', 'BOOLEAN'], ['seen', 'TIMESTAMP WITH TIME ZONE'], ['list', 'DOUBLE[]'], ['embedding', 'DOUBLE[]'],
    ]);
    const found = (await duck.runAndReadAll(`select whole::varchar, "real", said, yes, epoch_us(seen)::varchar, list::varchar, embedding::varchar from '${path}'`)).getRowsJson();
    const expected = [
      ['9007199254740993', 0.1, 'a "b",\n\u{1F600} ü', true, String(timeUs), '[1.0, 2.5]', '[1.0, 2.0]'],
      ['-7', null, '', false, null, '[]', null],
      [null, -1e300, null, null, '-1', null, '[3.0, 4.0]'],
    ];
    expect(found).toEqual([...expected, ...expected]);
    expect(new Map([...(await listed((await openParquet(path)).batches(10)))[0]!.types!].filter(([name]) => types.has(name)))).toEqual(types);
    expect(await gathered((await openParquet(path)).batches(10))).toEqual([
      { first: 1, rows: 3, columns: read },
      { first: 4, rows: 3, columns: read },
    ]);
  });

  test('that is cut off or is something else is refused with a sentence', async () => {
    const bytes = await bytesOf(parquetPieces(tablesOf(1000)));
    const path = join(dir, 'cut.parquet');
    await writeFile(path, bytes.subarray(0, bytes.length - 100));
    await expect(openParquet(path)).rejects.toThrow(/cut.parquet is not a Parquet file/);
    await writeFile(path, Buffer.concat([bytes.subarray(0, 4), Buffer.alloc(60, 255), bytes.subarray(64)]));
    await expect(openParquet(path).then((file) => gathered(file.batches(10)))).rejects.toThrow(/cut.parquet breaks off or is damaged within the rows 1 to 1000/);
    await writeFile(path, '');
    await expect(openParquet(path)).rejects.toThrow(/not a Parquet file/);
  });
});

describe.each([
  ['CSV', csvBatches, '\ufeffid,said\r\n1,"a, é\nb"\r\n\r\n2,\r\n3,""\r\n4,x'],
  ['NDJSON', ndjsonBatches, '{"id":"1","said":"a, é\\nb"}\n\n\n{"id":"2","said":null}\n{"id":"3","said":""}\n{"id":"4","said":"x"}'],
] as const)('%s', (name, batchesOf, text) => {
  const bytes = Buffer.from(text);

  test.each([1, 3, 1000])('keeps null and the empty text apart, and knows the line of each row, whatever the pieces (%i bytes)', async (size) => {
    const [batch] = await listed(batchesOf(chunks(bytes, size), 10));
    expect(Object.fromEntries(batch!.columns)).toEqual({ id: ['1', '2', '3', '4'], said: ['a, é\nb', null, '', 'x'] });
    expect(batch!.lines).toEqual(name === 'CSV' ? [3, 5, 6, 7] : [1, 4, 5, 6]);
  });

  test('goes on where a batch ended as if it had never stopped', async () => {
    const all = await listed(batchesOf(chunks(bytes), 1));
    const names = ['id', 'said'];
    for (const [at, { first, rows, endByte, lines }] of all.entries()) {
      const rest = await listed(batchesOf(chunks(bytes.subarray(endByte)), 1, { rows: first + rows - 1, byte: endByte, line: lines!.at(-1), names }));
      expect(rest).toEqual(all.slice(at + 1));
    }
  });

  test('that is not UTF-8 is refused', async () => {
    await expect(gathered(batchesOf(chunks(Buffer.concat([bytes, Buffer.from([10, 0xff, 10])])), 10))).rejects.toThrow(/not UTF-8/);
  });
});

test('a CSV row with too many cells is refused by its line', async () => {
  await expect(gathered(csvBatches(chunks(Buffer.from('a,b\n1,2\n1,2,3\n')), 10))).rejects.toThrow(/line 3/i);
});

test('values without a type have the one that holds them all', () => {
  expect([[1, 2], [1, 2.5], [null, 'a'], [true], [[1, 2]], [1, 'a'], [{ a: 1 }], []].map(typeOfValues)).toEqual(['INT64', 'DOUBLE', 'STRING', 'BOOL', 'DOUBLE_LIST', 'STRING', 'STRING', 'STRING']);
});

describe('a Parquet file of another writer', () => {
  test('has its decimals to the last digit, and bytes that are no text are none', async () => {
    const duck = await (await DuckDBInstance.create()).connect();
    const path = join(dir, 'decimals.parquet');
    await duck.run(`copy (select i, (i / 100)::decimal(10, 2) as price, (9007199254740992 + i)::decimal(18, 0) as id, -(9007199254740992 + i)::decimal(38, 0) as large, (-i / 1000)::decimal(38, 3) as small,
      [(i / 100)::decimal(6, 2), null] as list, case i when 1 then '\\xC3\\xBC'::blob else '\\xFF\\x00'::blob end as bytes, {'a': i, 'b': 1.5::decimal(3, 1)} as pair, case when i = 2 then null else 18446744073709551615::ubigint end as unsigned,
      make_timestamp_ns(-i * 1500) as nanos from range(1, 2001) as t(i)) to '${path}'`);
    const { columns, batches } = await openParquet(path);
    const [batch] = await listed(batches(5000));
    const of = (name: string) => batch!.columns.get(name)!;
    expect(columns).toEqual(['i', 'price', 'id', 'large', 'small', 'list', 'bytes', 'pair', 'unsigned', 'nanos']);
    const numbers = Array.from({ length: 2000 }, (_, row) => row + 1);
    expect(of('price')).toEqual(numbers.map((i) => Number((i / 100).toFixed(2))));
    expect(of('small')).toEqual(numbers.map((i) => -Number((i / 1000).toFixed(3))));
    expect(of('id')).toEqual(numbers.map((i) => 9_007_199_254_740_992n + BigInt(i)));
    expect(of('large')).toEqual(numbers.map((i) => -9_007_199_254_740_992n - BigInt(i)));
    expect(of('list')[34]).toEqual([0.35, null]);
    expect([of('bytes')[0], ArrayBuffer.isView(of('bytes')[1])]).toEqual(['ü', true]);
    expect(of('unsigned').slice(0, 2)).toEqual([18_446_744_073_709_551_615n, null]);
    expect(of('nanos').slice(0, 2)).toEqual([-2, -3]);
    expect(batch!.types).toEqual(new Map([['i', 'INT64'], ['price', 'DOUBLE'], ['id', 'INT64'], ['small', 'DOUBLE'], ['unsigned', 'INT64'], ['nanos', 'TIMESTAMP']]));
  });
});
