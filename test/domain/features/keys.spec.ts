import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeKey, encodeKey, partitionOf } from '../../../src/domain/features/keys.js';
import { int64Of } from '../../../src/domain/features/int64.js';

const part = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()), fc.maxSafeInteger());
const key = fc.array(part, { minLength: 1, maxLength: 4 });

describe('the encoding of entity keys', () => {
  test('keeps different entities apart', () => {
    fc.assert(fc.property(key, key, (a, b) => (encodeKey(a) === encodeKey(b)) === (JSON.stringify(a) === JSON.stringify(b) && a.every((value, index) => value === b[index]))));
    expect(encodeKey([1, '23'])).not.toBe(encodeKey([12, '3']));
    expect(encodeKey(['a","b'])).not.toBe(encodeKey(['a', 'b']));
    expect(encodeKey(['1'])).not.toBe(encodeKey([1]));
  });

  test('gives the values back, control characters, quotes and emoji included', () => {
    fc.assert(fc.property(key, (values) => expect(decodeKey(encodeKey(values))).toEqual(values.map((value) => (value === 0 ? 0 : value)))));
    expect(decodeKey(encodeKey(['\u0000\t"\\\u{1F600}é']))).toEqual(['\u0000\t"\\\u{1F600}é']);
  });

  test('holds no character that Postgres cannot store', () => {
    fc.assert(fc.property(key, (values) => !/[\u0000-\u001f]/.test(encodeKey(values))));
  });
});

describe('the partition of a key', () => {
  test('never changes: an entity’s history stands in one stream', () => {
    expect(['["JFK"]', '["LAX"]', '[1]', '["1","2"]', '["\u{1F600}"]'].map((text) => partitionOf(text, 16))).toEqual([11, 14, 9, 7, 14]);
  });

  test('spreads keys evenly', () => {
    const counts = new Array(8).fill(0);
    for (let id = 0; id < 8000; id++) counts[partitionOf(encodeKey([id]), 8)]++;
    expect(Math.min(...counts)).toBeGreaterThan(800);
  });
});

describe('a whole number of 64 bits', () => {
  test('has one form, whichever way it was given', () => {
    expect([5, '5', 5n].map(int64Of)).toEqual([5, 5, 5]);
    expect(['9007199254740993', 9007199254740993n].map(int64Of)).toEqual(['9007199254740993', '9007199254740993']);
    expect(int64Of(-0)).toBe(0);
  });

  test('is nothing else', () => {
    expect(['', '05', '1.0', '1e3', ' 1', '9223372036854775808', 1.5, NaN, 2 ** 53, true, null, undefined].map(int64Of)).toEqual(new Array(12).fill(undefined));
    expect(int64Of('9223372036854775807')).toBe('9223372036854775807');
    expect(int64Of('-9223372036854775808')).toBe('-9223372036854775808');
  });
});
