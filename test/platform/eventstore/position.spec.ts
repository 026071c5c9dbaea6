import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { comparePositions, formatPosition, parsePosition, PositionError, startOfLog, type Position } from '../../../src/platform/eventstore/port.js';

const anyPosition: fc.Arbitrary<Position> = fc
  .tuple(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }))
  .map(([a, b]) => (a < b ? { commit: b, prepare: a } : { commit: a, prepare: b }));

test('a position comes back from its text whole, however large', () => {
  fc.assert(fc.property(anyPosition, (position) => expect(parsePosition(formatPosition(position))).toEqual(position)));
  expect(formatPosition({ commit: 123n, prepare: 123n })).toBe('123');
  expect(formatPosition({ commit: 123n, prepare: 120n })).toBe('123/120');
  expect(parsePosition('0')).toEqual(startOfLog);
});

test.each(['', ' ', 'x', '-1', '1.5', '1e3', '007', '1/', '/1', '1/1', '1/2', '1/0/0', ' 1', '1\n', '0x10', `${2n ** 64n}`, '9'.repeat(500)])('"%s" is refused as a position', (text) => {
  expect(() => parsePosition(text)).toThrow(PositionError);
});

test('positions are ordered by commit, then by prepare', () => {
  fc.assert(
    fc.property(anyPosition, anyPosition, (a, b) => {
      const order = Math.sign(comparePositions(a, b));
      expect(order).toBe(-Math.sign(comparePositions(b, a)) || 0);
      expect(order === 0).toBe(formatPosition(a) === formatPosition(b));
      if (a.commit !== b.commit) expect(order).toBe(a.commit < b.commit ? -1 : 1);
    }),
  );
});
