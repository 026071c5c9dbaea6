/**
 * A process that reacts and works off jobs, beside a platform on the same stores: `node reacting.mjs <event store> <postgres> <collector>`.
 * Whoever creates a project gets the job `greet`, which describes it. It says `ready` when it follows the log.
 */
import { z } from 'zod';
import { requestJobCommand } from '../../dist/src/commands/jobs.js';
import { JobKeeper } from '../../dist/src/commands/jobs/keeper.js';
import { Aggregates } from '../../dist/src/commands/kit/aggregates.js';
import { CommandExecutor } from '../../dist/src/commands/kit/execute.js';
import { RememberingCommandLog } from '../../dist/src/commands/kit/idempotency.js';
import { tracedExecute } from '../../dist/src/commands/kit/traced.js';
import { projectCommands } from '../../dist/src/commands/projects.js';
import { defineReaction } from '../../dist/src/commands/reactions/define.js';
import { Reactor } from '../../dist/src/commands/reactions/reactor.js';
import { projectEvents } from '../../dist/src/domain/projects/events.js';
import { connect } from '../../dist/src/platform/eventstore/index.js';
import { defineJob, Jobs, openJobBackend } from '../../dist/src/platform/jobs/index.js';
import { makePool } from '../../dist/src/platform/postgres/pool.js';
import { tracedStore } from '../../dist/src/platform/telemetry/traced-store.js';
import { startTracing } from '../../dist/src/platform/telemetry/tracing.js';
import { jobsView } from '../../dist/src/projections/jobs/view.js';
import { ProjectionEngine } from '../../dist/src/projections/engine/index.js';

const [eventStoreUrl, postgresUrl, endpoint] = process.argv.slice(2);
const [, describeProject] = projectCommands;
const [projectCreated] = projectEvents;

const greet = defineJob({
  name: 'greet',
  summary: 'Describes a new project',
  input: z.object({ project: z.string() }),
  retry: { attempts: 3, backoff: { type: 'fixed', delayMs: 10 } },
  timeoutMs: 30_000,
  concurrency: 1,
  run: async ({ project }, { issue }) => void (await issue(describeProject, { project, description: 'Hello' })),
});
const greetNew = defineReaction({
  name: 'greet-new',
  since: '2026-01-01T00:00:00Z',
  events: [projectCreated],
  react: ({ data: { project } }) => [{ command: requestJobCommand, input: { id: `greet-${project}`, job: 'greet', input: { project } } }],
});

const log = { debug() {}, info() {}, warn: (facts, message) => console.error(message, facts.err), error: (facts, message) => console.error(message, facts.err) };
const tracing = await startTracing({ exporter: 'otlp', endpoint });
const eventStore = tracedStore(connect(eventStoreUrl), tracing);
const pool = makePool(postgresUrl);
const engine = new ProjectionEngine({ eventStore, pool, views: [jobsView], log, projects: false });
await engine.start();
const aggregates = new Aggregates(eventStore);
const executor = new CommandExecutor(eventStore, aggregates, new RememberingCommandLog({ find: async () => undefined }));
const execute = tracedExecute((...given) => executor.execute(...given), tracing);
const reactor = new Reactor({ eventStore, pool, reactions: [greetNew], execute, tracing, log });
const keeper = new JobKeeper({
  eventStore, pool, aggregates, definitions: [greet], execute, log,
  waitForView: (position, signal) => engine.waitFor(['jobs'], position, { signal, timeoutMs: 20_000 }),
  open: async (parts) => new Jobs({ ...parts, tracing, backend: await openJobBackend({ postgresUrl, onError: (error) => console.error(error) }) }),
});
reactor.start();
keeper.start();
process.once('SIGTERM', async () => {
  await Promise.all([reactor.stop(), keeper.stop()]);
  await tracing.close();
  process.exit(0);
});
console.log('ready');
