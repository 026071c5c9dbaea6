import { expect, test } from '@jest/globals';
import { oversized, split } from '../../../src/commands/features/split.js';
import { encodeChunk, valueAt, type RowBlock } from '../../../src/domain/features/chunk.js';
import { encodeKey, partitionOf } from '../../../src/domain/features/keys.js';

const blockOf = (values: readonly string[], entities = 7): RowBlock => ({
  rows: values.length,
  keys: Array.from({ length: entities }, (_, id) => encodeKey([id])),
  key: values.map((_, row) => row % entities),
  timeUs: values.map((_, row) => 1e15 + row),
  columns: new Map([['x', values], ['none', null]]),
});

test('every row stands once, in its key’s partition, in the order of the request', () => {
  const values = Array.from({ length: 500 }, (_, row) => `v${row}`);
  const block = blockOf(values);
  const seen: string[] = [];
  const lastTime = new Map<string, number>();
  for (const { partition, block: piece } of split(block, undefined, 4)) {
    for (let row = 0; row < piece.rows; row++) {
      const key = piece.keys[piece.key[row]!]!;
      expect(partitionOf(key, 4)).toBe(partition);
      expect(piece.timeUs[row]!).toBeGreaterThan(lastTime.get(key) ?? 0);
      lastTime.set(key, piece.timeUs[row]!);
      seen.push(valueAt(piece.columns.get('x'), row) as string);
    }
  }
  expect(seen.sort()).toEqual([...values].sort());
});

test('only the chosen rows are taken, and only the keys that they use', () => {
  const pieces = split(blockOf(['a', 'b', 'c', 'd']), [1, 3], 1);
  expect(pieces).toHaveLength(1);
  expect(pieces[0]!.block).toMatchObject({ rows: 2, keys: ['[1]', '[3]'] });
});

test('no event is larger than 256 KiB, whatever its strings hold', () => {
  const worst = '\u0001'.repeat(5_000);
  const pieces = split(blockOf(Array.from({ length: 300 }, (_, row) => (row % 2 ? worst : 'é'.repeat(20_000)))), undefined, 1);
  expect(pieces.length).toBeGreaterThan(1);
  for (const { block, bytes } of pieces) {
    const size = Buffer.byteLength(JSON.stringify(encodeChunk({ project: 'p', group: 'g', version: 1, partition: 0, mode: 'BOTH' }, block)));
    expect(size).toBeLessThan(250 * 1024);
    if (block.rows > 1) expect(size).toBeLessThanOrEqual(bytes);
  }
});

test('a row that no event can hold is named', () => {
  const block: RowBlock = { ...blockOf(['small', 'small']), columns: new Map(['a', 'b', 'c', 'd'].map((name) => [name, ['small', 'é'.repeat(60_000)]])) };
  expect(oversized(block)).toMatchObject([{ row: 1, field: 'values' }]);
});
