/**
 * A process that projects, to be killed: `node projector.mjs <event store> <postgres> <task>`. It says `ready` when it
 * projects, with the task `share` as soon as it has started. Computing may take it longer than any test waits. Its view is
 * that of test/projections/engine/counters.ts; it runs the compiled engine.
 * The tasks are `project`, `share`, `rebuild`, and `standing-still` or `standing-still-share`, which stops with SIGSTOP when it
 * raises a counter by 77; behind `poisoned-` they cannot take an event that raises a counter by 13. With `die-<phase>` it
 * kills itself where a rebuild enters the phase.
 */
import { z } from 'zod';
import { defineEvent } from '../../dist/src/domain/kit/index.js';
import { connect } from '../../dist/src/platform/eventstore/index.js';
import { makePool } from '../../dist/src/platform/postgres/pool.js';
import { defineView } from '../../dist/src/projections/engine/define.js';
import { ProjectionEngine } from '../../dist/src/projections/engine/index.js';

const [eventStoreUrl, postgresUrl, task] = process.argv.slice(2);

function edible(by) {
  // In the midst of a transaction, as the machine's owner might.
  if (task.startsWith('standing-still') && by === 77) process.kill(process.pid, 'SIGSTOP');
  if (task.startsWith('poisoned-') && by === 13) throw new Error('cannot count 13');
  return true;
}

const counters = defineView({
  name: 'counters',
  version: 1,
  table: 'counters',
  row: z.object({ counter: z.string(), sum: z.int(), events: z.int32(), latest: z.array(z.int()), raisedAt: z.iso.datetime(), note: z.string().nullable() }),
  key: ['counter'],
  events: [defineEvent('CounterRaised', z.object({ counter: z.string(), by: z.int() })), defineEvent('CounterRemoved', z.object({ counter: z.string() }))],
  keyOf: ({ data }) => ({ counter: data.counter }),
  on: {
    CounterRaised: (row, { counter, by }, info) => ({
      counter: edible(by) && counter,
      sum: (row?.sum ?? 0) + by,
      events: (row?.events ?? 0) + 1,
      latest: [...(row?.latest ?? []), by].slice(-5),
      raisedAt: info.recordedAt,
      note: null,
    }),
    CounterRemoved: () => undefined,
  },
});

const complain = (facts, message) => console.error(message, facts.err);
const log = { debug() {}, info() {}, warn: complain, error: (facts, message) => /cannot count 13/.test(message) || complain(facts, message) };
const engine = new ProjectionEngine({ eventStore: connect(eventStoreUrl), pool: makePool(postgresUrl), views: [counters], log, longestSilence_ms: 600_000 });
await engine.start();
while (!engine.isOwner && !task.endsWith('share')) await new Promise((resolve) => setTimeout(resolve, 2));
console.log('ready');
for (;;) {
  if (task.startsWith('die-')) await engine.rebuild('counters', ({ phase }) => phase === task.slice('die-'.length) && process.kill(process.pid, 'SIGKILL'));
  else if (task.endsWith('rebuild')) await engine.rebuild('counters', () => undefined);
  else await new Promise((resolve) => setTimeout(resolve, 1000));
}
