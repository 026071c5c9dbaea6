import { describe, expect, test } from '@jest/globals';
import { expectation, judge, type JudgedRows } from '../../../../src/domain/features/monitoring/expectations.js';

const batch = (x: readonly unknown[]): JudgedRows => ({ rows: x.length, valuesOf: (feature) => (feature === 'x' ? x : undefined) });
const window = (x: readonly unknown[], latestUs = 0): JudgedRows => ({ ...batch(x), window: { endUs: 100_000_000, latestUs } });
const judged = (expected: object, rows: JudgedRows) => judge(expectation.parse({ name: 'e', ...expected }), rows);

describe('nulls', () => {
  const fewNulls = { kind: 'NULL_RATE', feature: 'x', max: 0.25 };
  test.each<[readonly unknown[], boolean, number]>([
    [[1, 2, 3, null], true, 0.25],
    [[1, null, null, 4, 5], false, 0.4],
    [[1, 0, '', false], true, 0],
  ])('of %j', (x, holds, observed) => {
    expect(judged(fewNulls, batch(x))).toMatchObject({ holds, observed, limit: 0.25, rows: x.length });
  });

  test('of too few rows, of a feature that the rows cannot have, and of no rows are not judged', () => {
    expect(judged({ ...fewNulls, leastRows: 3 }, batch([null, null]))).toBeUndefined();
    expect(judged({ ...fewNulls, feature: 'y' }, batch([null]))).toBeUndefined();
    expect(judged(fewNulls, window([]))).toBeUndefined();
  });
});

describe('a range', () => {
  test.each<[object, readonly unknown[], boolean, number, RegExp]>([
    [{ min: 0, max: 10 }, [0, 10, 5, null], true, 0, /0 of 3 values of x are not from 0 to 10; all/],
    [{ min: 0 }, [1, -1, 2, 3], false, 1, /1 of 4 values of x are not at least 0/],
    [{ max: 10, share: 0.75 }, [1, 2, 3, 11], true, 1, /at most 10; at least 75 %/],
    [{ max: 10, share: 0.76 }, [1, 2, 3, 11], false, 1, /./],
    [{ max: 10 }, ['9007199254740993'], false, 1, /./],
  ])('%j', (range, x, holds, broken, reason) => {
    expect(judged({ kind: 'RANGE', feature: 'x', ...range }, batch(x))).toMatchObject({ holds, broken, reason: expect.stringMatching(reason) });
  });
});

describe('of a window', () => {
  test('the number of rows is judged, also where there are none', () => {
    expect(judged({ kind: 'ROW_COUNT', min: 2 }, window([1, 2]))).toMatchObject({ holds: true, observed: 2 });
    expect(judged({ kind: 'ROW_COUNT', min: 2 }, window([]))).toMatchObject({ holds: false, observed: 0 });
    expect(judged({ kind: 'ROW_COUNT', min: 2 }, batch([]))).toBeUndefined();
  });

  test('how fresh it is, is judged by its latest row', () => {
    expect(judged({ kind: 'FRESHNESS', max: 60 }, window([1], 40_000_000))).toMatchObject({ holds: true, observed: 60 });
    expect(judged({ kind: 'FRESHNESS', max: 60 }, window([1], 39_000_000))).toMatchObject({ holds: false, observed: 61 });
    expect(judged({ kind: 'FRESHNESS', max: 60 }, window([], -Infinity))).toMatchObject({ holds: false, observed: null });
    expect(judged({ kind: 'FRESHNESS', max: 60 }, batch([1]))).toBeUndefined();
  });
});

describe('what makes no sense is refused', () => {
  test.each<[object, string]>([
    [{ kind: 'NULL_RATE', max: 0.1 }, 'feature'],
    [{ kind: 'NULL_RATE', feature: 'x' }, 'max'],
    [{ kind: 'NULL_RATE', feature: 'x', max: 1 }, 'max'],
    [{ kind: 'RANGE', feature: 'x' }, 'min'],
    [{ kind: 'RANGE', feature: 'x', min: 2, max: 1 }, 'min'],
    [{ kind: 'RANGE', feature: 'x', min: 2, share: 0 }, 'share'],
    [{ kind: 'ROW_COUNT', min: 1, feature: 'x' }, 'feature'],
    [{ kind: 'ROW_COUNT' }, 'min'],
    [{ kind: 'ROW_COUNT', min: 1, mode: 'REFUSE' }, 'mode'],
    [{ kind: 'FRESHNESS', max: 0 }, 'max'],
    [{ kind: 'FRESHNESS', max: 5, share: 0.5 }, 'share'],
    [{ kind: 'SOMETHING' }, 'kind'],
  ])('%j', (expected, field) => {
    const parsed = expectation.safeParse({ name: 'e', ...expected });
    expect(parsed.error?.issues.map(({ path }) => path[0])).toEqual([field]);
  });
});
