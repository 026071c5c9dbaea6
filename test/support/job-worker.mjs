// A process that works off the job `hold-on`, for tests that kill it: it says when it has begun and never ends by itself.
import { z } from 'zod';
import { defineJob, Jobs, openJobBackend } from '../../dist/src/platform/jobs/index.js';

const [postgresUrl, redisUrl] = process.argv.slice(2);
const holdOn = defineJob({
  name: 'hold-on',
  summary: 'Begins and never ends',
  input: z.object({ n: z.int() }),
  retry: { attempts: 3, backoff: { type: 'fixed', delayMs: 1 } },
  timeoutMs: 600_000,
  concurrency: 1,
  run: async (_, { id }) => {
    console.log(id);
    await new Promise(() => {});
  },
});
const log = { info() {}, warn: (facts, message) => console.error(message, facts.err) };
const backend = await openJobBackend({ postgresUrl, redisUrl, onError: (error) => console.error(error) });
const jobs = new Jobs({ backend, definitions: [holdOn], issue: async () => undefined, log, silenceMs: 1000 });
await jobs.prepare();
await jobs.work();
