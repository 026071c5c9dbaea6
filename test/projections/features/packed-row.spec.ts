import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { FeatureValue } from '../../../src/domain/features/values.js';
import { noRow, packRow, PackedRows, unpackRow } from '../../../src/projections/features/online/packed-row.js';

/** As the log gives it back: minus zero is zero there. */
const double = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const whole = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.constantFrom(2 ** 31, -(2 ** 31), 2 ** 31 - 1, -(2 ** 31) - 1, 0));
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '\ud800', 'a\udc00\ud800', '\u0000', '"\\', 'x'.repeat(20_000), '9223372036854775807'));
const value: fc.Arbitrary<FeatureValue | null> = fc.oneof(double, whole, text, fc.boolean(), fc.array(double), fc.constant(null));
const row = fc.record({ timeUs: fc.maxSafeInteger(), values: fc.array(value, { maxLength: 12 }) });

describe('a packed row', () => {
  test('gives back its event time and its values, each with its type', () => {
    fc.assert(
      fc.property(row, ({ timeUs, values }) => {
        const packed = packRow(timeUs, values);
        expect(unpackRow(packed)).toStrictEqual(values);
        const rows = PackedRows.of(packed);
        expect([rows.next(), rows.timeUs]).toEqual([true, timeUs]);
      }),
    );
  });

  test('is base64 of whole triples, so that rows may stand one behind the other', () => {
    fc.assert(fc.property(row, ({ timeUs, values }) => expect(packRow(timeUs, values)).toMatch(/^(?:[A-Za-z0-9+/]{4})+$/)));
  });

  test('is the same text for the same values, minus zero being zero', () => {
    expect(packRow(1, [-0, 5, 0.1, 'a'])).toBe(packRow(1, [0, 5, 0.1, 'a']));
    expect(packRow(1, ['5'])).not.toBe(packRow(1, [5]));
  });

  test('ends before a feature that was registered later', () => {
    const rows = PackedRows.of(packRow(1, [7]));
    rows.next();
    expect([rows.value(), rows.value(), rows.value()]).toEqual([7, null, null]);
  });

  test('takes a row of any length', () => {
    const values = Array.from({ length: 3000 }, (_, index) => (index % 3 === 0 ? index + 0.5 : index % 3 === 1 ? `text ${index}` : null));
    expect(unpackRow(packRow(1, values))).toStrictEqual(values);
  });
});

describe('rows one behind the other', () => {
  test('are gone through in their order, those that are not there in their places, whatever is read or left out of each', () => {
    const way = fc.constantFrom('value', 'skip', 'number', 'leave');
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.option(row), fc.array(way, { maxLength: 12 })), { maxLength: 8 }), fc.nat({ max: 8 }), (rows, first) => {
        const packed = PackedRows.of(rows.map(([held]) => (held ? packRow(held.timeUs, held.values) : noRow)).join(''));
        const cut = Math.min(first, rows.length);
        const parts = [[packed.take(cut), rows.slice(0, cut)] as const, [packed, rows.slice(cut)] as const];
        for (const [reader, its] of parts) for (const [held, ways] of its) expectRow(reader, held, ways);
      }),
    );
  });
});

function expectRow(rows: PackedRows, held: { timeUs: number; values: (FeatureValue | null)[] } | null, ways: readonly string[]): void {
  expect(rows.next()).toBe(held !== null);
  if (held === null) return;
  expect(rows.timeUs).toBe(held.timeUs);
  let place = 0;
  for (const way of ways) {
    if (way === 'leave') return;
    const expected = held.values[place] ?? null;
    if (way === 'skip') {
      rows.skip();
      place++;
    } else if (way === 'value') {
      expect(rows.value()).toStrictEqual(expected);
      place++;
    } else {
      const numbers = new Float64Array(1);
      const isNumber = typeof expected === 'number';
      expect(rows.numberInto(numbers, 0)).toBe(isNumber);
      if (isNumber) expect(numbers[0]).toBe(expected);
      if (isNumber) place++;
    }
  }
}

test('what is no packed row is refused', () => {
  for (const text of ['[1.5,7]', 'null', '////////////////', packRow(1, ['a long enough text']).slice(0, -8)]) expect(() => unpackRow(text)).toThrow('not in the form in which it was written');
});
