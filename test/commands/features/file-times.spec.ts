import { describe, expect, test } from '@jest/globals';
import { timeUnitsOf, withTimes, type TimeUnits } from '../../../src/commands/features/file-times.js';
import type { ColumnType } from '../../../src/platform/rows/typed.js';

const noon = Date.UTC(2023, 10, 14, 22, 13, 20) * 1000;
const read = (values: unknown[], units: TimeUnits = {}, types?: Map<string, ColumnType>) =>
  withTimes({ first: 1, rows: values.length, columns: new Map([['at', values], ['seen', values]]), types }, { eventTime: 'at', columns: ['seen'], units, say: (unit) => `--time-unit ${unit}` }).columns;
const timesOf = (values: unknown[], ...units: string[]) => read(values, timeUnitsOf(units)).get('at');

describe('numbers of a file that stand for times', () => {
  test.each([
    ['seconds', [1_700_000_000, 1_700_000_000n, '1700000000', ' 1700000000.25 ', 1_700_000_000.123456], [noon, noon, noon, noon + 250_000, noon + 123_456]],
    ['milliseconds', [1_700_000_000_000, '1700000000000.5'], [noon, noon + 500]],
    ['microseconds', [noon, BigInt(noon), `${noon}`], [noon, noon, noon]],
    ['nanoseconds', [1_700_000_000_123_456_789n, '1700000000123456789', 1_700_000_000_000_000_000, -1n], [noon + 123_456, noon + 123_456, noon, -1]],
  ])('count %s where that is said', (unit, given, expected) => {
    expect(timesOf(given, unit)).toEqual(expected);
  });

  test('have the unit of their column before that of all, and are left alone where the file says that they are times', () => {
    const columns = read([1_700_000_000], timeUnitsOf(['milliseconds', 'at=seconds']));
    expect([columns.get('at'), columns.get('seen')]).toEqual([[noon], [1_700_000_000_000]]);
    expect(read([1_700_000_000], timeUnitsOf(['seconds']), new Map([['at', 'TIMESTAMP'], ['seen', 'TIMESTAMP']])).get('at')).toEqual([1_700_000_000]);
  });

  test('of another unit than was said are no times, and never times of another year; texts and gaps stay as they are', () => {
    expect(timesOf([1_700_000_000_000, '2023-11-14', null, 'noon'], 'seconds')).toEqual(['1700000000000 seconds', '2023-11-14', null, 'noon']);
  });

  test.each([
    ['seconds', [null, 1_700_000_000]],
    ['seconds', ['1700000000']],
    ['seconds', [1_700_000_000.5, 1_600_000_000n]],
    ['milliseconds', [1_700_000_000_000]],
    ['microseconds', [`${noon}`]],
    ['nanoseconds', [1_700_000_000_000_000_000n]],
  ])('are refused as event times where nothing says that they count %s', (unit, given) => {
    expect(() => timesOf(given)).toThrow(new RegExp(`column at are numbers such as .*in ${unit} that is 2023-11-14T22:13:20.*Say --time-unit ${unit}`));
  });

  test('are microseconds by themselves, also before 1980 among later ones, and where that is said', () => {
    expect(timesOf([0, noon])).toEqual([0, noon]);
    expect(timesOf([0, -5], 'microseconds')).toEqual([0, -5]);
    expect(() => timesOf([0, -5])).toThrow('lie before 1980');
    expect(timesOf([null, null])).toEqual([null, null]);
    expect(timesOf(['1970-01-01T00:00:00Z'])).toEqual(['1970-01-01T00:00:00Z']);
  });
});
