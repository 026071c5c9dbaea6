import { describe, expect, test } from '@jest/globals';
import { readRange } from '../../src/cli/features/ranges.js';
import { sparkline } from '../../src/cli/sparkline.js';

describe('a range on the command line', () => {
  test.each([
    ['2001-01..2001-02', '2001-01-01T00:00:00.000Z', '2001-02-01T00:00:00.000Z'],
    ['2001..2002-06-05', '2001-01-01T00:00:00.000Z', '2002-06-05T00:00:00.000Z'],
    ['2001', '2001-01-01T00:00:00.000Z', '2002-01-01T00:00:00.000Z'],
    ['2001-12', '2001-12-01T00:00:00.000Z', '2002-01-01T00:00:00.000Z'],
    ['2001-02-28', '2001-02-28T00:00:00.000Z', '2001-03-01T00:00:00.000Z'],
    ['2001-01-01T12:00+02:00..2001-01-01T10:30', '2001-01-01T10:00:00.000Z', '2001-01-01T10:30:00.000Z'],
  ])('%s', (written, start, end) => {
    expect(readRange(written)).toEqual({ start, end });
  });

  test.each(['', '..', '2001-13', '2001-01..', '2001-01-01T12:00', 'a..b', '2001..2002..2003'])('%s is none', (written) => {
    expect(() => readRange(written)).toThrow(/is not a range such as/);
  });
});

test('counts are drawn as bars, the largest in full and one of many still seen', () => {
  expect(sparkline([0, 1, 50, 100, 1000])).toBe(' ▁▁▁█');
  expect(sparkline([])).toBe('');
});
