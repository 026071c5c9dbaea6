import fc from 'fast-check';
import type { EntityValue } from '../../../../src/domain/features/values.js';
import type { Asked, Rules } from './reference.js';
import type { Fact, Row } from './written.js';

/** Strings that naive encodings of keys confuse with one another, or break on. */
const awkward = ['', ' ', 'a', 'A', 'a"', "a'", 'a,b', '["a"]', '\\', '\\"', 'a\tb', '\n', 'é', 'é', '日本', '🛫', 'null', '12', '1', '__proto__', '%', '?', ';--'];

const key = fc.tuple(fc.constantFrom(...awkward), fc.integer({ min: -1, max: 12 })) as fc.Arbitrary<[EntityValue, EntityValue]>;

/** Few distinct moments, so that ties and the very ends of a TTL are common. */
const moment = fc.integer({ min: 0, max: 40 }).map((n) => 1_000_000 + n * 10);

/** A history of one group with features `n` and `s`, and requests against it that mostly name its keys. */
export const situations = fc.array(key, { minLength: 1, maxLength: 5 }).chain((keys) => {
  const row: fc.Arbitrary<Row> = fc.record({
    key: fc.constantFrom(...keys),
    timeUs: moment,
    values: fc.record({ n: fc.option(fc.integer({ min: -3, max: 3 })), s: fc.option(fc.constantFrom(...awkward)) }),
  });
  const rowsWritten = fc.record({ mode: fc.constantFrom('BOTH', 'OFFLINE', 'ONLINE'), rows: fc.array(row, { minLength: 1, maxLength: 12 }) });
  const deleted = fc.record({ deleted: fc.array(fc.constantFrom(...keys), { minLength: 1, maxLength: 2 }) });
  const asked: fc.Arbitrary<Asked> = fc.record({ key: fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...keys) }, { weight: 1, arbitrary: key }), timeUs: moment });
  return fc.record({
    facts: fc
      .array(fc.tuple(fc.oneof({ weight: 8, arbitrary: rowsWritten }, { weight: 1, arbitrary: deleted }), fc.integer({ min: 0, max: 40 })), { maxLength: 12 })
      .map((facts) => recordedInOrder(facts as never)),
    asked: fc.array(asked, { minLength: 1, maxLength: 30 }),
    rules: fc.record(
      { ttlUs: fc.constantFrom(0, 10, 50, 100), position: fc.nat(12), knownAtUs: moment, knownAtRowTime: fc.boolean() },
      { requiredKeys: ['ttlUs'] },
    ) as fc.Arbitrary<Rules>,
  });
});

/** The log's clock never runs backwards, but may stand still. */
function recordedInOrder(facts: readonly (readonly [object, number])[]): Fact[] {
  let now = 999_900;
  return facts.map(([fact, passed]) => ({ ...fact, recordedAtUs: (now += passed) }) as Fact);
}
