import { expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { hashOfRows, RowHash } from '../../../../src/projections/features/training-sets/row-hash.js';

const names = ['card', 'näme', 'list', 'other'];
const rows: unknown[][] = [
  [1, 'a', [1.5, -0], { b: 1, a: [null] }],
  [-0, '', [], [1, 'x']],
  ['9007199254740993', null, undefined, true],
  [2.5, 'ü'.repeat(50_000), null, false],
];
const table = (from = 0, to = rows.length) => ({ rows: to - from, columns: names.map((_, column) => ({ at: (row: number) => rows[from + row]![column] })) });

/** The encoding as the document says it, written down a second time. */
function encoded(): Buffer {
  const uint32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
  const float64 = (value: number) => Buffer.from(Float64Array.of(value).buffer);
  const text = (value: string) => Buffer.concat([uint32(Buffer.byteLength(value)), Buffer.from(value)]);
  const tag = (value: number) => Buffer.from([value]);
  return Buffer.concat([
    Buffer.from('tarl.rows.1'), uint32(4), ...names.map(text),
    tag(3), float64(1), tag(4), text('a'), tag(5), uint32(2), float64(1.5), float64(0), tag(6), text('{"a":[null],"b":1}'),
    tag(3), float64(0), tag(4), text(''), tag(5), uint32(0), tag(6), text('[1,"x"]'),
    tag(4), text('9007199254740993'), tag(0), tag(0), tag(2),
    tag(3), float64(2.5), tag(4), text('ü'.repeat(50_000)), tag(0), tag(1),
  ]);
}

test('the hash is the SHA-256 of the documented bytes', async () => {
  expect(await hashOfRows(names, table())).toBe(createHash('sha256').update(encoded()).digest('hex'));
});

test('the pieces in which rows come do not matter, their order and every value do', async () => {
  const whole = await hashOfRows(names, table());
  const pieces = new RowHash(names);
  for (let row = 0; row < rows.length; row++) await pieces.add(table(row, row + 1));
  expect(pieces.digest()).toBe(whole);
  const hashes = [whole, await hashOfRows([...names].reverse(), table()), await hashOfRows(names, table(0, 3)), await hashOfRows(names, { ...table(), columns: table().columns.map(({ at }) => ({ at: (row: number) => at(3 - row) })) })];
  expect(new Set(hashes).size).toBe(hashes.length);
});
