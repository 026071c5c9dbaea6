import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { DuckDBConnection } from '@duckdb/node-api';
import fc from 'fast-check';
import { encodeKey } from '../../../../src/domain/features/keys.js';
import { windowAggregates } from '../../../../src/domain/features/transformations/definition.js';
import { momentsAt } from '../../../../src/projections/features/history/slots.js';
import type { PlannedWindow } from '../../../../src/projections/features/transformations/plan.js';
import { WindowJoin } from '../../../../src/projections/features/windows/window-join.js';
import { situations } from '../history/generated.js';
import { fill, openOracle } from '../history/oracle.js';
import type { Asked, Rules } from '../history/reference.js';
import { blockOf, type Fact } from '../history/written.js';

let oracle: DuckDBConnection;
beforeAll(async () => void (oracle = await openOracle()));
afterAll(() => oracle.closeSync());

const counted = (durationUs: number): PlannedWindow => ({ run: 0, output: 0, join: 0, spec: { aggregate: 'COUNT', durationUs, type: 'INT64' } });
const windowsOver = (durationUs: number): PlannedWindow[] => [
  counted(durationUs),
  ...windowAggregates.map((aggregate): PlannedWindow => ({ run: 0, output: 0, join: 0, feature: 'n', spec: { aggregate, input: 0, durationUs, type: aggregate === 'MEAN' ? 'DOUBLE' : 'INT64' } })),
];

test('windows at any moment say what DuckDB says of the rows that were known then: ties, late rows, nulls, deletions', async () => {
  let found = 0;
  await fc.assert(
    fc.asyncProperty(situations, fc.constantFrom(10, 60, 1000), async ({ facts, asked, rules }, durationUs) => {
      const ours = answers(facts, asked, rules, durationUs);
      expect(ours).toEqual(await askOracle(facts, asked, rules, durationUs));
      found += ours.filter(([rows]) => Number(rows) > 1).length;
    }),
    { numRuns: 300 },
  );
  expect(found).toBeGreaterThan(200);
});

function answers(facts: readonly Fact[], asked: readonly Asked[], rules: Rules, durationUs: number): unknown[][] {
  const windows = windowsOver(durationUs);
  const join = new WindowJoin(momentsAt(asked.map(({ key }) => key && encodeKey(key)), Float64Array.from(asked, ({ timeUs }) => timeUs)), windows, rules.knownAtRowTime);
  facts.forEach((fact, at) => {
    const known = at < (rules.position ?? Infinity) && fact.recordedAtUs <= (rules.knownAtUs ?? Infinity);
    if ('deleted' in fact) {
      if (known) join.delete(fact.deleted.map(encodeKey), fact.recordedAtUs);
      else join.erase(fact.deleted.map(encodeKey));
    } else if (known && fact.mode !== 'ONLINE') join.add(blockOf(fact.rows, fact.mode), fact.recordedAtUs);
  });
  const values = join.finish();
  return asked.map((_, row) => windows.map((window) => values.get(window)!.values[row]!));
}

/** What was deleted after what is known is not told: nothing is said of a window that holds some of it. */
async function askOracle(facts: readonly Fact[], asked: readonly Asked[], rules: Rules, durationUs: number): Promise<unknown[][]> {
  await fill(oracle, facts, asked, rules);
  const answer = await oracle.runAndReadAll(
    `with seen as (
       select q.i, h.*, exists (from deleted d where d.k1 = h.k1 and d.k2 = h.k2 and d.written > h.written) as gone,
         row_number() over (partition by q.i, h.t order by h.written desc) as place
       from asked q join history h on q.k1 = h.k1 and q.k2 = h.k2 and h.t > q.t - $duration and h.t <= q.t
       where not $row_time or (h.recorded <= q.t and not exists (from deleted d where d.known = 1 and d.k1 = h.k1 and d.k2 = h.k2 and d.written > h.written and d.recorded <= q.t))
     ), said as (
       select i, bool_or(gone) as gone, count(*) as r, count(n) as c, sum(n) as s, avg(n) as a, min(n) as mi, max(n) as ma, arg_max(n, t) as la from seen where place = 1 group by i
     )
     select gone, coalesce(r, 0) as r, coalesce(c, 0) as c, s, a, mi, ma, la from asked left join said using (i) order by i`,
    { duration: durationUs, row_time: rules.knownAtRowTime === true },
  );
  return answer.getRowObjectsJson().map(({ gone, r, c, s, a, mi, ma, la }) => [r, c, s, a, mi, ma, la].map((value) => (gone || value === null ? null : Number(value))));
}
