/**
 * A process that projects, reacts and works off jobs, to be tormented: `node chaos-process.mjs <JSON>` with the places of
 * the stores and what is wrong with it. `poisoned` cannot count 13, `slowMs` is what each batch takes longer. A line
 * `clock <ms>` on its standard input sets its clock. Each event EffectWanted leads by a reaction to the job `effect`, which
 * leaves a row and issues a command.
 */
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { requestJobCommand } from '../../dist/src/commands/jobs.js';
import { JobKeeper } from '../../dist/src/commands/jobs/keeper.js';
import { Aggregates } from '../../dist/src/commands/kit/aggregates.js';
import { CommandExecutor } from '../../dist/src/commands/kit/execute.js';
import { RememberingCommandLog } from '../../dist/src/commands/kit/idempotency.js';
import { defineReaction } from '../../dist/src/commands/reactions/define.js';
import { Reactor } from '../../dist/src/commands/reactions/reactor.js';
import { defineEvent } from '../../dist/src/domain/kit/index.js';
import { connect } from '../../dist/src/platform/eventstore/index.js';
import { defineJob, Jobs, openJobBackend } from '../../dist/src/platform/jobs/index.js';
import { makePool } from '../../dist/src/platform/postgres/pool.js';
import { defineView } from '../../dist/src/projections/engine/define.js';
import { ProjectionEngine } from '../../dist/src/projections/engine/index.js';
import { jobsView } from '../../dist/src/projections/jobs/view.js';

const { eventStoreUrl, postgresUrl, name, poisoned, slowMs } = JSON.parse(process.argv[2]);

const RealDate = Date;
let offset_ms = 0;
globalThis.Date = class extends RealDate {
  constructor(...given) {
    super(...(given.length === 0 ? [RealDate.now() + offset_ms] : given));
  }
  static now() {
    return RealDate.now() + offset_ms;
  }
};
createInterface({ input: process.stdin }).on('line', (line) => (offset_ms = Number(line.split(' ')[1])));

const counted = defineView({
  name: 'counters',
  version: 1,
  table: 'counters',
  row: z.object({ counter: z.string(), sum: z.int(), events: z.int32(), latest: z.array(z.int()), raisedAt: z.iso.datetime(), note: z.string().nullable() }),
  key: ['counter'],
  events: [defineEvent('CounterRaised', z.object({ counter: z.string(), by: z.int() })), defineEvent('CounterRemoved', z.object({ counter: z.string() }))],
  keyOf: ({ data }) => ({ counter: data.counter }),
  on: {
    CounterRaised: (row, { counter, by }, info) => {
      if (poisoned && by === 13) throw new Error('cannot count 13');
      return { counter, sum: (row?.sum ?? 0) + by, events: (row?.events ?? 0) + 1, latest: [...(row?.latest ?? []), by].slice(-5), raisedAt: info.recordedAt, note: null };
    },
    CounterRemoved: () => undefined,
  },
});
const counters = { ...counted, project: async (events, tx) => (slowMs && (await pause(slowMs)), counted.project(events, tx)) };

// What goes wrong is what is wanted here; the rows and the log say whether it mattered.
const log = { debug() {}, info() {}, warn() {}, error() {} };
const eventStore = connect(eventStoreUrl);
const pool = makePool(postgresUrl, {}, () => undefined);
// Effects are what a crash of Postgres must not undo: they stand for what happens elsewhere.
const elsewhere = makePool(postgresUrl, { max: 2, options: '-c synchronous_commit=on' }, () => undefined);
const effect = defineJob({
  name: 'effect',
  summary: 'Leaves a row',
  input: z.object({ n: z.int() }),
  retry: { attempts: 1000, backoff: { type: 'fixed', delayMs: 20 } },
  timeoutMs: 10_000,
  concurrency: 4,
  run: async ({ n }, { id, issue }) => {
    await elsewhere.query('insert into effects (n, key) values ($1, $2)', [n, id]);
    await issue(requestJobCommand, { id: `done-${n}`, job: 'nobody', input: {} });
  },
});
const onWanted = defineReaction({
  name: 'effect-wanted',
  since: '2020-01-01T00:00:00Z',
  events: [defineEvent('EffectWanted', z.object({ n: z.int() }))],
  react: ({ data: { n } }) => [{ command: requestJobCommand, input: { id: `effect-${n}`, job: 'effect', input: { n } } }],
});

const engine = new ProjectionEngine({ eventStore, pool, views: [counters, jobsView], log, name });
const aggregates = new Aggregates(eventStore);
const executor = new CommandExecutor(eventStore, aggregates, new RememberingCommandLog({ find: async () => undefined }));
const execute = (...given) => executor.execute(...given);
// A store that is away at the start is waited for.
while (!(await engine.start().then(() => true, () => false))) await pause(20);
new Reactor({ eventStore, pool, reactions: [onWanted], execute, log }).start();
new JobKeeper({
  eventStore, pool, aggregates, definitions: [effect], execute, log, lookEveryMs: 300,
  waitForView: (position, signal) => engine.waitFor(['jobs'], position, { signal, timeoutMs: 20_000 }),
  open: async (parts) => new Jobs({ ...parts, backend: await openJobBackend({ postgresUrl, onError: () => undefined }), silenceMs: 1000 }),
}).start();
console.log('ready');
