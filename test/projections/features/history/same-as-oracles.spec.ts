import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { DuckDBConnection } from '@duckdb/node-api';
import fc from 'fast-check';
import { encodeKey } from '../../../../src/domain/features/keys.js';
import { PointInTimeJoin } from '../../../../src/projections/features/history/join.js';
import { situations } from './generated.js';
import { askOracle, openOracle, type OracleRow } from './oracle.js';
import { joined, type Asked, type Rules } from './reference.js';
import { blockOf, type Fact } from './written.js';

let oracle: DuckDBConnection;
beforeAll(async () => {
  oracle = await openOracle();
});
afterAll(() => oracle.closeSync());

test('gives row for row what the plain telling of the rules gives', () => {
  fc.assert(
    fc.property(situations, ({ facts, asked, rules }) => {
      expect(answers(facts, asked, rules)).toEqual(joined(facts, asked, rules).map(plain));
    }),
    { numRuns: 2000 },
  );
});

test("gives row for row what DuckDB's ASOF JOIN gives", async () => {
  await fc.assert(
    fc.asyncProperty(situations, async ({ facts, asked, rules }) => {
      expect(answers(facts, asked, rules)).toEqual(await askOracle(oracle, facts, asked, rules));
    }),
    { numRuns: 150 },
  );
});

function answers(facts: readonly Fact[], asked: readonly Asked[], rules: Rules): OracleRow[] {
  const moments = { keys: asked.map(({ key }) => key && encodeKey(key)), timeUs: Float64Array.from(asked, ({ timeUs }) => timeUs) };
  const join = new PointInTimeJoin(moments, { ...rules, features: ['n', 's'] });
  facts.forEach((fact, at) => {
    if (at >= (rules.position ?? Infinity) || fact.recordedAtUs > (rules.knownAtUs ?? Infinity)) return;
    if ('deleted' in fact) join.delete(fact.deleted.map(encodeKey), fact.recordedAtUs);
    else if (fact.mode !== 'ONLINE') join.add(blockOf(fact.rows, fact.mode), fact.recordedAtUs);
  });
  join.finish();
  return asked.map((_, row) => ({ timeUs: join.eventTimeUs(row), n: join.value(0, row) as number, s: join.value(1, row) as string }));
}

const plain = (row: ReturnType<typeof joined>[number]): OracleRow => ({
  timeUs: row?.timeUs ?? null,
  n: (row?.values.n ?? null) as number | null,
  s: (row?.values.s ?? null) as string | null,
});
