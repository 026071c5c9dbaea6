import { describe, expect, test } from '@jest/globals';
import { encodeKey } from '../../../../src/domain/features/keys.js';
import type { EntityValue } from '../../../../src/domain/features/values.js';
import { PointInTimeJoin } from '../../../../src/projections/features/history/join.js';
import { momentsAt } from '../../../../src/projections/features/history/slots.js';
import { blockOf, type Fact } from './written.js';

const row = (key: EntityValue, timeUs: number, value: number | null) => ({ key: [key], timeUs, values: { value } });

/** The values that requests `[key, time]` get from facts. */
function valuesOf(facts: readonly Fact[], asked: readonly [EntityValue | null, number][], options: { ttlUs?: number; knownAtRowTime?: boolean } = {}) {
  const join = new PointInTimeJoin(
    momentsAt(asked.map(([key]) => (key === null ? null : encodeKey([key]))), Float64Array.from(asked, ([, time]) => time)),
    { features: ['value'], ttlUs: 0, ...options },
  );
  for (const fact of facts) {
    if ('deleted' in fact) join.delete(fact.deleted.map(encodeKey), fact.recordedAtUs);
    else join.add(blockOf(fact.rows), fact.recordedAtUs);
  }
  join.finish();
  return asked.map((_, at) => (!join.matched(at) ? 'unmatched' : join.deleted(at) ? ['deleted', join.value(0, at)] : join.value(0, at)));
}

const written = (recordedAtUs: number, ...rows: ReturnType<typeof row>[]): Fact => ({ recordedAtUs, rows });

describe('a point-in-time join', () => {
  test('sees a value at its very event time and never before it', () => {
    expect(valuesOf([written(1, row('a', 100, 7))], [['a', 99], ['a', 100], ['a', 101]])).toEqual(['unmatched', 7, 7]);
  });

  test('sees a value exactly as old as the TTL and none that is older, counted from the row and not from now', () => {
    const facts = [written(1, row('a', 100, 7))];
    expect(valuesOf(facts, [['a', 149], ['a', 150], ['a', 151]], { ttlUs: 50 })).toEqual([7, 7, 'unmatched']);
  });

  test('lets a TTL of 0 never run out', () => {
    expect(valuesOf([written(1, row('a', 100, 7))], [['a', 9e14]])).toEqual([7]);
  });

  test('takes the greatest event time, whatever the order of writing', () => {
    expect(valuesOf([written(1, row('a', 200, 2)), written(2, row('a', 100, 1))], [['a', 150], ['a', 250]])).toEqual([1, 2]);
  });

  test('gives a tie of event time to the later write, within one request and across requests', () => {
    expect(valuesOf([written(1, row('a', 100, 1), row('a', 100, 2))], [['a', 100]])).toEqual([2]);
    expect(valuesOf([written(1, row('a', 100, 1)), written(2, row('a', 100, 3))], [['a', 100]])).toEqual([3]);
  });

  test('keeps a null of the winning row instead of filling it from an older row', () => {
    expect(valuesOf([written(1, row('a', 100, 1), row('a', 200, null))], [['a', 250]])).toEqual([null]);
  });

  test('answers in the order of the request, repeated and unsorted rows included', () => {
    const facts = [written(1, row('a', 100, 1), row('a', 200, 2), row('b', 100, 9))];
    expect(valuesOf(facts, [['a', 250], ['b', 100], ['a', 150], ['c', 100], ['a', 250], [null, 100]])).toEqual([2, 9, 1, 'unmatched', 2, 'unmatched']);
  });

  test('with known_at = row_time, sees nothing that was recorded after the row', () => {
    const late = [written(500, row('a', 100, 1)), written(900, row('a', 200, 2))];
    expect(valuesOf(late, [['a', 499], ['a', 500], ['a', 899], ['a', 900]], { knownAtRowTime: true })).toEqual(['unmatched', 1, 1, 2]);
  });

  test('with known_at = row_time, a backfill of an older moment does not displace a newer value', () => {
    const facts = [written(300, row('a', 200, 2)), written(900, row('a', 100, 1))];
    expect(valuesOf(facts, [['a', 1000]], { knownAtRowTime: true })).toEqual([2]);
  });

  test('hides the rows of a deleted entity, and shows those written afterwards', () => {
    const facts: Fact[] = [written(1, row('a', 100, 1), row('b', 100, 5)), { recordedAtUs: 2, deleted: [['a']] }];
    expect(valuesOf(facts, [['a', 150], ['b', 150]])).toEqual(['unmatched', 5]);
    expect(valuesOf([...facts, written(3, row('a', 50, 3))], [['a', 150]])).toEqual([3]);
  });

  test('with known_at = row_time, shows the moments before a deletion that there was something, and not what', () => {
    const facts: Fact[] = [written(100, row('a', 100, 1), row('a', 950, 4)), { recordedAtUs: 500, deleted: [['a']] }, written(700, row('a', 90, 3))];
    expect(valuesOf(facts, [['a', 499], ['a', 500], ['a', 699], ['a', 700], ['a', 1000]], { knownAtRowTime: true })).toEqual([['deleted', null], 'unmatched', 'unmatched', 3, 3]);
  });

  test('of an entity deleted after what is known tells that there was something, and not what', () => {
    const join = new PointInTimeJoin(momentsAt(['["a"]', '["b"]', '["a"]'], Float64Array.of(150, 150, 50)), { features: ['value'], ttlUs: 0 });
    join.add(blockOf([row('a', 100, 1), row('b', 100, 2)]), 1);
    join.erase(['["a"]']);
    join.finish();
    expect([0, 1, 2].map((at) => [join.matched(at), join.deleted(at), join.eventTimeUs(at), join.value(0, at)])).toEqual([[true, true, 100, null], [true, false, 100, 2], [false, false, null, null]]);
  });
});
