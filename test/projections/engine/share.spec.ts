import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { choose, fairShare, type Member } from '../../../src/projections/engine/share.js';
import type { Slice } from '../../../src/projections/engine/slices.js';
import { countersView } from './counters.js';

const views = ['a', 'b', 'c'].map((name) => countersView({ name }));
const held = fc.array(fc.nat({ max: 20 }), { minLength: 1, maxLength: 9 }).map((counts): Member[] => counts.map((held, at) => ({ id: 100 + at, held })));

test('the shares of all processes are all slices, and no share is larger than another by more than one', () => {
  fc.assert(
    fc.property(held, fc.nat({ max: 200 }), (members, slices) => {
      const shares = members.map(({ id }) => fairShare(members, slices, id));
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(slices);
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
    }),
  );
});

test('whoever has a fair share already keeps it: nothing moves without need', () => {
  fc.assert(
    fc.property(held, fc.nat({ max: 200 }), (members, slices) => {
      const settled = members.map(({ id }) => ({ id, held: fairShare(members, slices, id) }));
      for (const { id, held } of settled) expect(fairShare(settled, slices, id)).toBe(held);
    }),
  );
});

test('a process that has not been seen among the members yet takes nothing', () => {
  expect(fairShare([{ id: 1, held: 3 }], 3, 2)).toBe(0);
});

const slicesOf = (counts: readonly number[]): Slice[] => counts.flatMap((of, at) => Array.from({ length: of }, (_, index) => ({ view: views[at]!, index, of })));

test('the slices of one view are taken apart and given away first where they are together', () => {
  const all = slicesOf([4, 1, 1]);
  expect(choose(all, 3, 'fewest', []).map(({ view }) => view.name).sort()).toEqual(['a', 'b', 'c']);
  expect(choose(all, 3, 'most', all).map(({ view }) => view.name)).toEqual(['a', 'a', 'a']);
});

test('never more are chosen than there are, and none twice', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 5 }), { minLength: 3, maxLength: 3 }), fc.nat({ max: 20 }), fc.constantFrom('most' as const, 'fewest' as const), (counts, count, first) => {
      const all = slicesOf(counts);
      const chosen = choose(all, count, first, []);
      expect(chosen).toHaveLength(Math.min(count, all.length));
      expect(new Set(chosen).size).toBe(chosen.length);
    }),
  );
});
