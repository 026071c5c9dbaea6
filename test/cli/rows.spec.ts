import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { columnOf } from '../../src/cli/features/columns.js';
import { Moments } from '../../src/cli/features/moments.js';
import { openRows } from '../../src/cli/rows/open.js';
import { packageRoot } from '../../src/platform/root.js';

describe('rows of a file', () => {
  let dir: string;
  beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), 'tarl-test-rows-'))));
  afterAll(() => rm(dir, { recursive: true }));

  async function batchesOf(name: string, text: string, batchRows = 2) {
    await writeFile(join(dir, name), text);
    const found = [];
    for await (const { first, rows, columns } of (await openRows(join(dir, name), batchRows)).batches) found.push({ first, rows, columns: Object.fromEntries(columns) });
    return found;
  }

  test('a CSV file keeps quotes, commas and line ends within cells, and its empty cells are null', async () => {
    expect(await batchesOf('a.csv', '\ufeffid,said\r\n1,"a, ""b""\nc"\r\n2,\r\n3,x\r\n')).toEqual([
      { first: 1, rows: 2, columns: { id: ['1', '2'], said: ['a, "b"\nc', null] } },
      { first: 3, rows: 1, columns: { id: ['3'], said: ['x'] } },
    ]);
  });

  test('a CSV file that is broken is refused by its line', async () => {
    await expect(batchesOf('b.csv', 'id,said\n1,2,3\n')).rejects.toThrow(/not CSV.*line 2/);
    await expect(batchesOf('c.csv', 'id,id\n1,2\n')).rejects.toThrow('names the column "id" twice');
    await expect(batchesOf('d.csv', '')).rejects.toThrow('The file is empty');
  });

  test('lines of JSON may leave fields out, also at first, and broken ones are refused by their line', async () => {
    expect(await batchesOf('a.ndjson', '{"a":1}\n\n{"b":[1,2]}\n')).toEqual([{ first: 1, rows: 2, columns: { a: [1, null], b: [null, [1, 2]] } }]);
    await expect(batchesOf('b.ndjson', '{"a":1}\n{"a":\n')).rejects.toThrow('Line 2 is not JSON');
    await expect(batchesOf('c.jsonl', '[1]\n')).rejects.toThrow('Line 1 is not a JSON object');
  });

  test('lines of JSON keep all digits of whole numbers', async () => {
    const text = '{"a":9007199254740993,"b":[9007199254740993],"c":0.1234567890123456789,"d":18446744073709551616}\n{"a":-9223372036854775808,"b":{"x":-9007199254740993},"c":1e20,"d":"9007199254740993"}\n';
    expect(await batchesOf('large.ndjson', text)).toEqual([{ first: 1, rows: 2, columns: { a: [9007199254740993n, -9223372036854775808n], b: [['9007199254740993'], { x: '-9007199254740993' }], c: [0.12345678901234568, 1e20], d: [2 ** 64, '9007199254740993'] } }]);
  });

  test('a Parquet file comes in batches that follow one another, without all of it in memory', async () => {
    const source = await openRows(join(packageRoot, 'node_modules/vega-datasets/data/flights-3m.parquet'), 100_000);
    let rows = 0;
    for await (const batch of source.batches) {
      expect(batch.first).toBe(rows + 1);
      if (rows === 0) expect([...batch.columns].map(([name, [value]]) => [name, value])).toEqual([['date', 978_307_260_000_000], ['delay', 33n], ['distance', 2176n], ['origin', 'LAS'], ['destination', 'PHL']]);
      rows += batch.rows;
      if (rows > 300_000) break;
    }
    expect(source.size).toBe(3_000_000);
    expect(source.read()).toBe(rows);
  });

  test('a file that is not there, or of no known kind, is refused by name', async () => {
    await expect(openRows(join(dir, 'none.csv'), 1)).rejects.toThrow('There is no file');
    await writeFile(join(dir, 'rows.txt'), '');
    await expect(openRows(join(dir, 'rows.txt'), 1)).rejects.toThrow('say --format');
    await writeFile(join(dir, 'not.parquet'), 'nothing of the kind');
    await expect(openRows(join(dir, 'not.parquet'), 1)).rejects.toThrow('is not a Parquet file');
  });

  test('values become the types of their features, and one that does not fit is named by its row', () => {
    expect(columnOf('n', 'INT64', ['7', 8, 9n, null, '9007199254740993'], { first: 1 })).toEqual({ name: 'n', ints: [7, 8, 9, 0, '9007199254740993'], nulls: [3] });
    expect(columnOf('t', 'TIMESTAMP', ['2001-01-01 00:01', '2001-01-01T01:01:00.000001+01:00'], { first: 1 })).toEqual({ name: 't', timesUs: [978_307_260_000_000, 978_307_260_000_001] });
    expect(columnOf('v', 'DOUBLE_LIST', ['[1,2.5]', [3]], { first: 1 })).toEqual({ name: 'v', lists: [{ values: [1, 2.5] }, { values: [3] }] });
    expect(columnOf('s', 'STRING', ['a', 'b', 'a'], { first: 1 })).toEqual({ name: 's', strings: ['a', 'b'], stringIndex: [0, 1, 0] });
    expect(() => columnOf('n', 'INT64', ['1', '1.5'], { first: 11 })).toThrow('Row 12, column n: "1.5" is not INT64');
    expect(() => columnOf('b', 'BOOL', ['yes'], { first: 1 })).toThrow('Row 1, column b: "yes" is not BOOL');
    expect(() => columnOf('d', 'DOUBLE', ['NaN'], { first: 1 })).toThrow('"NaN" is not DOUBLE');
  });
});

test('whole numbers beyond 2^53 beside the features of a training set stay whole numbers, with all their digits', async () => {
  const moments = new Moments([{ name: 'id', type: 'INT64' }], 'at');
  const batch = { first: 1, rows: 2, columns: new Map<string, unknown[]>([['id', [9007199254740993n, 2n]], ['at', ['2026-01-01', '2026-01-02']], ['order', [9007199254740995n, null]], ['small', [7n, 8n]], ['mixed', [1.5, 9007199254740997n]], ['share', [1.5, 2n]]]) };
  for await (const _ of moments.sent((async function* () { yield batch; })())) continue;
  expect(moments.columnsFrom(0).map(({ name, type, at }) => [name, type, at(0), at(1)])).toEqual([
    ['id', 'INT64', '9007199254740993', 2],
    ['at', 'TIMESTAMP', '2026-01-01', '2026-01-02'],
    ['order', 'INT64', '9007199254740995', null],
    ['small', 'INT64', 7, 8],
    ['mixed', 'STRING', 1.5, '9007199254740997'],
    ['share', 'DOUBLE', 1.5, 2],
  ]);
});
