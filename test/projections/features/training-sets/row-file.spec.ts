import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Contents } from '../../../../src/platform/contents.js';
import type { FeatureType } from '../../../../src/domain/features/values.js';
import { readRowFile, RowFileWriter } from '../../../../src/projections/features/training-sets/row-file.js';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'tarl-rows-'))));
afterAll(() => rm(folder, { recursive: true }));

type Columns = { name: string; type?: FeatureType; values: unknown[] };
const columns: Columns[] = [
  { name: 'whole', type: 'INT64', values: [1, null, '-9223372036854775808', '9007199254740993'] },
  { name: 'half.way/there', type: 'DOUBLE', values: [0.1, 1e308, null, 5e-324] },
  { name: 'text', type: 'STRING', values: ['ü', '', null, '"'] },
  { name: 'truth', type: 'BOOL', values: [true, null, false, true] },
  { name: 'time', type: 'TIMESTAMP', values: [1767225600000001, -1, null, 0] },
  { name: 'list', type: 'DOUBLE_LIST', values: [[1, 0.5], [], null, [2]] },
  { name: 'plain', values: ['2026-01-01', null, 'b', 'c'] },
  { name: 'mixed', values: [1, 'a', { b: [1] }, null] },
  { name: 'of another type than said', type: 'STRING', values: [1, 'a', { b: 1 }, null] },
  { name: 'nothing', values: [null, null, null, null] },
];

async function roundTrip(columns: readonly Columns[], pieces: readonly [from: number, to: number][]): Promise<unknown[][]> {
  const path = join(folder, `${pieces.length}.parquet`);
  const writer = new RowFileWriter(path, columns);
  for (const [from, to] of pieces) await writer.write({ rows: to - from, columns: columns.map(({ name, values }) => ({ name, at: (row) => values[from + row] })) });
  await writer.finish();
  const read = columns.map((): unknown[] => []);
  for await (const table of readRowFile(path)) for (let row = 0; row < table.rows; row++) table.columns.forEach(({ at }, column) => read[column]!.push(at(row)));
  return read;
}

test('rows come back from the file exactly as they were', async () => {
  expect(await roundTrip(columns, [[0, 4]])).toEqual(columns.map(({ values }) => values));
});

test('so do those of several tables, and of none', async () => {
  const typed = columns.filter(({ type, name }) => type && !name.startsWith('of another'));
  expect(await roundTrip(typed, [[0, 1], [1, 1], [1, 4]])).toEqual(typed.map(({ values }) => values));
  expect(await roundTrip(columns, [])).toEqual(columns.map(() => []));
});

test('a file has its name only once it is whole, and one that is given up leaves nothing', async () => {
  const contents = new Contents(join(folder, 'contents'), '.parquet');
  const given = await contents.begin();
  await new RowFileWriter(given.path, columns).finish();
  await given.abandon();
  expect(await readdir(join(folder, 'contents'))).toEqual([]);
  const kept = await contents.begin();
  await new RowFileWriter(kept.path, columns).finish();
  expect(await contents.has('abc')).toBe(false);
  await kept.keep('abc');
  expect(await contents.has('abc')).toBe(true);
});
