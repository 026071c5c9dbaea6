import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RowSample } from '../../../../src/domain/features/monitoring/row-sample.js';
import { seededRandom, textHash } from '../../../../src/domain/features/monitoring/statistics/seeded.js';
import { blockOf, type Row } from '../../../projections/features/history/written.js';

const row = (n: number, timeUs: number, value: number): Row => ({ key: [n], timeUs, values: { x: value } });

function sampleOf(writes: readonly (readonly Row[])[], limit: number): RowSample {
  const sample = new RowSample(['x'], limit);
  for (const rows of writes) {
    const block = blockOf(rows);
    for (let at = 0; at < block.rows; at++) sample.add(block, at, textHash(block.keys[block.key[at]!]!));
  }
  return sample;
}
const values = (sample: RowSample) => sample.chosen().map(([value]) => value);
const shuffled = <Item>(items: readonly Item[], seed: number): Item[] => {
  const random = seededRandom(seed);
  return items.map((item) => [random(), item] as const).sort(([a], [b]) => a - b).map(([, item]) => item);
};

describe('a sample of rows', () => {
  test('is all of them while they are not too many, each entity and time once, as written last', () => {
    const rows = Array.from({ length: 300 }, (_, n) => row(n, -5_000_000 + n, n));
    const corrected = row(7, -4_999_993, 700);
    const sample = sampleOf([rows, [corrected]], 300);
    expect([sample.rows, sample.exact, sample.latestUs]).toEqual([300, true, -4_999_701]);
    expect(values(sample).sort((a, b) => Number(a) - Number(b))).toEqual([...Array.from({ length: 300 }, (_, n) => n).filter((n) => n !== 7), 700]);
  });

  test('is the same in whatever order and pieces the rows come', () => {
    const rows = Array.from({ length: 2000 }, (_, n) => row(n % 70, n * 1_000_000, n));
    const once = sampleOf([rows], 100);
    expect([once.exact, values(once).length]).toEqual([false, 100]);
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 700 }), (seed, size) => {
        const others = shuffled(rows, seed);
        const pieces = Array.from({ length: Math.ceil(others.length / size) }, (_, at) => others.slice(at * size, (at + 1) * size));
        expect(values(sampleOf(pieces, 100))).toEqual(values(once));
      }),
      { numRuns: 20, seed: 1 },
    );
  });

  test('holds a corrected row as corrected, also when it is one of many', () => {
    const rows = Array.from({ length: 2000 }, (_, n) => row(n, 0, n));
    expect(values(sampleOf([rows, rows.map(({ key }) => row(key[0] as number, 0, -1))], 100))).toEqual(new Array(100).fill(-1));
  });

  test('is uniform, and knows within a few percent of how many rows', () => {
    const sample = sampleOf(Array.from({ length: 20 }, (_, day) => Array.from({ length: 1000 }, (__, n) => row(n, day * 86_400_000_000, day * 1000 + n))), 2000);
    expect(Math.abs(sample.rows / 20_000 - 1)).toBeLessThan(0.06);
    const mean = values(sample).reduce<number>((sum, value) => sum + Number(value), 0) / 2000;
    // The mean of 2,000 of the numbers to 20,000 has a standard error of 129.
    expect(Math.abs(mean - 9999.5)).toBeLessThan(400);
  });
});
