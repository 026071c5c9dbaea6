import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { DuckDBConnection } from '@duckdb/node-api';
import fc from 'fast-check';
import { encodeKey } from '../../../../src/domain/features/keys.js';
import { PointInTimeJoin } from '../../../../src/projections/features/history/join.js';
import { connect } from '../../../../src/platform/eventstore/index.js';
import { historical } from '../../../../src/projections/features/history/historical.js';
import { Replay } from '../../../../src/projections/features/history/replay.js';
import { momentsAt } from '../../../../src/projections/features/history/slots.js';
import type { EntityValue } from '../../../../src/domain/features/values.js';
import type { EventStore } from '../../../../src/platform/eventstore/port.js';
import { testEventStore, type TestEventStore } from '../../../support/eventstore.js';
import { situations } from './generated.js';
import { declare, record, type Declared } from './group.js';
import { askOracle, openOracle, type OracleRow } from './oracle.js';
import { joined, type Asked, type Rules } from './reference.js';
import { blockOf, type Fact } from './written.js';

let oracle: DuckDBConnection;
let server: TestEventStore;
let eventStore: EventStore;
beforeAll(async () => {
  oracle = await openOracle();
  server = await testEventStore();
  eventStore = connect(server.url);
});
afterAll(async () => {
  oracle.closeSync();
  await eventStore.close();
  await server.close();
});

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

test("gives what DuckDB's ASOF JOIN gives when it is read from the log, partition by partition", async () => {
  const replay = new Replay(eventStore, { cacheBytes: 50_000 });
  let projects = 0;
  const property = fc.asyncProperty(situations, fc.constantFrom(1, 3), async ({ facts, asked, rules }, partitions) => {
    const group: Declared = { project: `p${++projects}`, group: 'g', keys: { k1: 'STRING', k2: 'INT64' }, features: { n: 'INT64', s: 'STRING' }, partitions };
    await declare(eventStore, group);
    let position = await eventStore.endOfLog();
    for (const [at, fact] of facts.entries()) {
      const last = await record(eventStore, group, fact);
      if (at < (rules.position ?? Infinity)) position = last;
    }
    const [k1, k2] = [0, 1].map((part) => asked.map(({ key }) => key![part]!)) as [EntityValue[], EntityValue[]];
    const times = asked.map(({ timeUs }) => timeUs);
    const { tables } = await historical(replay, {
      project: group.project, features: ['g'], aliases: [], fullNames: false, known: { position },
      rows: { rows: asked.length, timeUs: Float64Array.from(times), columns: new Map<string, unknown[]>([['k1', k1], ['k2', k2], ['t', times]]) },
    });
    const found: unknown[] = [];
    for await (const { rows, columns } of tables) for (let row = 0; row < rows; row++) found.push({ n: columns[3]!.at(row), s: columns[4]!.at(row) });
    const expected = await askOracle(oracle, facts, asked, { ttlUs: 0, position: rules.position });
    expect(found).toEqual(expected.map(({ n, s }) => ({ n, s })));
  });
  await fc.assert(property, { numRuns: 60 });
});

function answers(facts: readonly Fact[], asked: readonly Asked[], rules: Rules): OracleRow[] {
  const moments = momentsAt(asked.map(({ key }) => key && encodeKey(key)), Float64Array.from(asked, ({ timeUs }) => timeUs));
  const join = new PointInTimeJoin(moments, { ...rules, features: ['n', 's'] });
  facts.forEach((fact, at) => {
    const known = at < (rules.position ?? Infinity) && fact.recordedAtUs <= (rules.knownAtUs ?? Infinity);
    if ('deleted' in fact) {
      if (known) join.delete(fact.deleted.map(encodeKey), fact.recordedAtUs);
      else join.erase(fact.deleted.map(encodeKey));
    } else if (known && fact.mode !== 'ONLINE') join.add(blockOf(fact.rows, fact.mode), fact.recordedAtUs);
  });
  join.finish();
  return asked.map((_, row) => ({ timeUs: join.eventTimeUs(row), n: join.value(0, row) as number, s: join.value(1, row) as string }));
}

const plain = (row: ReturnType<typeof joined>[number]): OracleRow => ({
  timeUs: row?.timeUs ?? null,
  n: (row?.values.n ?? null) as number | null,
  s: (row?.values.s ?? null) as string | null,
});
