import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeChunk, encodeChunk, featureRowsWritten, valueAt, type BlockHead, type RowBlock } from '../../../src/domain/features/chunk.js';
import { decode } from '../../../src/domain/kit/index.js';
import { anyBlock } from './blocks.js';

const head: BlockHead = { project: 'p', group: 'g', version: 1, partition: 3, mode: 'BOTH' };
/** The rows one by one, which is what a chunk means. */
const rowsOf = ({ rows, keys, key, timeUs, columns }: RowBlock) =>
  Array.from({ length: rows }, (_, row) => [keys[key[row]!], timeUs[row], ...[...columns].map(([name, column]) => [name, valueAt(column, row)])]);

describe('rows in the log', () => {
  test('come out as they went in, through JSON', () => {
    fc.assert(
      fc.property(anyBlock, (given) => {
        const decoded = decodeChunk(JSON.parse(JSON.stringify(encodeChunk(head, given))));
        expect(decoded).toMatchObject(head);
        expect(rowsOf(decoded)).toEqual(rowsOf(given));
      }),
    );
  });

  test('keep their keys apart also where some of the keys have no row', () => {
    const decoded = decodeChunk(encodeChunk(head, { rows: 1, keys: ['["a"]', '["b"]'], key: [0], timeUs: [5], columns: new Map([['x', [1]]]) }));
    expect(rowsOf(decoded)).toEqual([['["a"]', 5, ['x', 1]]]);
  });

  test('have the shape that the event declares', () => {
    fc.assert(fc.property(anyBlock, (given) => void decode(featureRowsWritten, 1, JSON.parse(JSON.stringify(encodeChunk(head, given))))));
  });

  test('that do not fit each other are refused rather than misread', () => {
    const good = { ...head, keys: ['["a"]', '["b"]'], from: 0, columns: { x: [1, 2] } };
    expect(decodeChunk(good).rows).toBe(2);
    const bad = [null, {}, { ...good, keys: [] }, { ...good, from: 'now' }, { ...good, after: [1] }, { ...good, key: [0, 2] }, { ...good, columns: { x: [1] } }, { ...good, columns: { x: { of: ['a'], at: [0] } } }, { ...good, columns: { x: 5 } }];
    for (const data of bad) expect(() => decodeChunk(data)).toThrow('do not fit each other');
  });

  test('of a newer release are refused', () => {
    expect(() => decodeChunk({}, 2)).toThrow('newer release');
  });

  test('cost little: repeated strings and whole keys are written once', () => {
    const rows = 100;
    const cities = Array.from({ length: rows }, (_, row) => (row % 2 ? 'New York' : 'Los Angeles'));
    const chunk = encodeChunk(head, { rows, keys: cities.map((_, row) => `[${row}]`), key: cities.map((_, row) => row), timeUs: cities.map(() => 5), columns: new Map([['city', cities]]) });
    expect(chunk).not.toHaveProperty('key');
    expect(chunk).not.toHaveProperty('after');
    expect(chunk.columns['city']).toMatchObject({ of: ['Los Angeles', 'New York'] });
  });
});
