import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeChunk, encodeChunk, valueAt, type BlockHead, type ReadableBlock } from '../../../src/domain/features/chunk.js';
import { KeyBytes, KeyTable } from '../../../src/domain/features/chunk-bytes/keys.js';
import { numbersAt } from '../../../src/domain/features/chunk-bytes/numbers.js';
import { readChunk } from '../../../src/domain/features/chunk-bytes/read-chunk.js';
import { encodeKey } from '../../../src/domain/features/keys.js';
import { anyBlock } from './blocks.js';

const head: BlockHead = { project: 'p', group: 'g', version: 1, partition: 3, mode: 'BOTH' };
const bytesOf = (data: unknown): Buffer => Buffer.from(JSON.stringify(data));

/** The rows one by one, with the features named. */
const rowsOf = ({ rows, keys, key, timeUs, columns }: ReadableBlock, features: readonly string[]) =>
  Array.from({ length: rows }, (_, row) => [keys[key[row]!], timeUs[row], ...features.map((name) => valueAt(columns.get(name), row))]);

describe('rows read from their bytes', () => {
  test('are those that JSON.parse gives, packed or not', () => {
    fc.assert(
      fc.property(anyBlock, (block) => {
        const bytes = bytesOf(encodeChunk(head, block));
        const features = [...block.columns.keys()];
        const expected = rowsOf(decodeChunk(JSON.parse(bytes.toString())), features);
        const read = readChunk(bytes)!;
        expect(read).toMatchObject(head);
        expect(rowsOf(read, features)).toEqual(expected);
        expect(rowsOf(read.packed(), features)).toEqual(expected);
      }),
    );
  });

  test('hold all that was written when their text has gone', () => {
    const bytes = bytesOf(encodeChunk(head, { rows: 2, keys: ['["a"]', '["b"]'], key: [1, 0], timeUs: [5, 6], columns: new Map([['x', [1, 2.5]], ['s', ['one', null]]]) }));
    const packed = readChunk(bytes)!.packed();
    bytes.fill(0);
    expect(rowsOf(packed, ['x', 's'])).toEqual([['["b"]', 5, 1, 'one'], ['["a"]', 6, 2.5, null]]);
  });

  test('are left to JSON.parse where they are not as this release writes them', () => {
    const good = { ...head, keys: ['["a"]', '["b"]'], from: 0, columns: { x: [1, 2] } };
    expect(readChunk(bytesOf(good))!.rows).toBe(2);
    expect(readChunk(bytesOf({ ...good, note: 'more' }))).toBeUndefined();
    expect(readChunk(Buffer.from(JSON.stringify(good, null, 1)))).toBeUndefined();
    expect(readChunk(Buffer.from(JSON.stringify(good).replace('a', '\\u0061')))).toBeUndefined();
  });

  test('that do not fit each other are never misread', () => {
    const good = { ...head, keys: ['["a"]', '["b"]'], from: 0, columns: { x: [1, 2] } };
    const bad = [null, {}, [], { ...good, keys: [] }, { ...good, from: 'now' }, { ...good, from: 0.5 }, { ...good, after: [1] }, { ...good, key: [0, 2] }, { ...good, key: [0, -1] }, { ...good, columns: { x: 5 } }];
    for (const data of bad) expect(readChunk(bytesOf(data))).toBeUndefined();
    const columns = [[1], [1, 2, 3], ['a'], { of: ['a'], at: [0] }, { of: ['a'], at: [0, 0, 0] }];
    for (const x of columns) expect(() => readChunk(bytesOf({ ...good, columns: { x } }))!.columns.get('x')).toThrow('does not fit');
  });

  test('may be cut off anywhere', () => {
    const bytes = bytesOf(encodeChunk(head, { rows: 2, keys: ['["a"]', '["b"]'], key: [1, 1], timeUs: [5, 6], columns: new Map([['x', [1, 2]], ['s', ['é', null]], ['l', [[1], [2]]]]) }));
    for (let end = 0; end < bytes.length; end++) expect(readChunk(bytes.subarray(0, end))).toBeUndefined();
  });
});

describe('numbers read from bytes', () => {
  const read = (numbers: readonly (number | null)[]) => {
    const text = bytesOf(numbers);
    return [...(numbersAt(text, 0, numbers.length) ?? [])].map((number) => (Number.isNaN(number) ? null : number));
  };

  test('are the very doubles that JSON.parse gives', () => {
    const written = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.double({ noNaN: true, min: -1000, max: 1000 }),
      fc.integer(),
      fc.maxSafeInteger(),
      fc.tuple(fc.maxSafeInteger(), fc.integer({ min: 0, max: 22 })).map(([digits, power]) => digits / 10 ** power),
    );
    fc.assert(fc.property(fc.array(fc.option(written), { minLength: 1 }), (numbers) => expect(read(numbers)).toEqual(JSON.parse(JSON.stringify(numbers)))), { numRuns: 2000 });
  });

  test('are so for any digits, those halfway between two doubles included', () => {
    const digits = fc.stringMatching(/^-?(0|[1-9]\d{0,20})(\.\d{1,24})?([eE][+-]?\d{1,3})?$/);
    const halfway = fc.tuple(fc.nat(2 ** 20), fc.integer({ min: 1, max: 12 })).map(([whole, power]) => `${2n ** 53n + 2n * BigInt(whole) + 1n}`.replace(new RegExp(`(\\d{${power}})$`), '.$1'));
    fc.assert(
      fc.property(fc.array(fc.oneof(digits, halfway), { minLength: 1 }), (texts) => {
        const text = Buffer.from(`[${texts.join()}]`);
        expect([...numbersAt(text, 0, texts.length)!]).toEqual(JSON.parse(text.toString()));
      }),
      { numRuns: 2000 },
    );
  });

  test('are not read from what is no array of so many numbers', () => {
    for (const text of ['[1,2', '[1]', '[1,2,3]', '[1,"2"]', '[1,[2]]', '[1,true]', '[1,-]', '[1,]', '[,1]', '{"a":1}', '[1,2.5.5]']) expect(numbersAt(Buffer.from(text), 0, 2)).toBeUndefined();
  });
});

describe('keys as bytes', () => {
  const key = fc.array(fc.oneof(fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()), fc.constantFrom('a', '"', '\\', '12'), fc.integer()), { minLength: 1, maxLength: 2 }).map(encodeKey);
  const keys = fc.uniqueArray(key, { maxLength: 30 });

  test('are found by those that are the same, and by no others', () => {
    fc.assert(
      fc.property(keys, keys, (known, asked) => {
        expect([...new KeyTable(known).numbersOf(KeyBytes.of(asked))]).toEqual(asked.map((one) => known.indexOf(one)));
      }),
    );
  });

  test('are the same texts again', () => {
    fc.assert(fc.property(keys, (given) => expect([KeyBytes.of(given).texts(), KeyBytes.of(given).apart().texts()]).toEqual([given, given])));
  });
});
