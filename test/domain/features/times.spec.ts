import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatTimeUs, parseTimeUs } from '../../../src/domain/features/times.js';
import { earliestTimeUs, latestTimeUs } from '../../../src/domain/features/values.js';

describe('a time', () => {
  test('is read to the microsecond, in any zone, as UTC without one', () => {
    expect(parseTimeUs('2026-01-31T12:00:00Z')).toBe(Date.UTC(2026, 0, 31, 12) * 1000);
    expect(parseTimeUs('2026-01-31 12:00:00')).toBe(Date.UTC(2026, 0, 31, 12) * 1000);
    expect(parseTimeUs('2026-01-31')).toBe(Date.UTC(2026, 0, 31) * 1000);
    expect(parseTimeUs('2026-01-31T12:00+05:30')).toBe(Date.UTC(2026, 0, 31, 6, 30) * 1000);
    expect(parseTimeUs('1969-12-31T23:59:59.9999991Z')).toBe(-1);
  });

  test('that does not exist is none', () => {
    for (const text of ['', 'now', '2026-02-30', '2026-13-01', '2026-01-01T24:00:00Z', '2026-01-01T12:60:00Z', '1699-12-31', '2250-01-01', '2026-1-1', '1767225600']) expect(parseTimeUs(text)).toBeNaN();
  });

  test('of the first century is not taken for one of the twentieth', () => {
    for (const text of ['0000-01-01', '0026-01-31T12:00:00Z', '0099-12-31']) expect(parseTimeUs(text)).toBeNaN();
  });

  test('in a zone that no clock shows is none', () => {
    for (const zone of ['+24:00', '-99:99', '+05:60']) expect(parseTimeUs(`2026-01-31T12:00:00${zone}`)).toBeNaN();
  });

  test('comes back as it was shown', () => {
    fc.assert(fc.property(fc.integer({ min: earliestTimeUs, max: latestTimeUs }), (timeUs) => parseTimeUs(formatTimeUs(timeUs)) === timeUs));
  });
});
