import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { BenchOptions, Row } from './kit.js';
import { callUnary, grpcClient } from './support/grpc-client.js';
import { startPlatform } from './support/platform.js';

const inFlight = 64;
const rounds = 24;
const sample = 0.1;

/**
 * What tracing at 10 % sampling adds to a command: processor time of the platform's process, from the wire to the rows of
 * the view, of two platforms that take the same commands in short turns, one with tracing and one without. Which of two
 * processes was started first makes some per cent by itself, so there are two pairs, started in either order.
 */
export async function tracingCost({ scale }: BenchOptions): Promise<Row> {
  const collector = await startCollector();
  const settings = {
    on: { TARL_OTEL_EXPORTER: 'otlp', TARL_OTEL_ENDPOINT: collector.url, TARL_OTEL_SAMPLE: `${sample}` },
    off: { TARL_OTEL_EXPORTER: 'none' },
  };
  const costs: { on: number; off: number }[] = [];
  for (const order of [['on', 'off'], ['off', 'on']] as const) {
    const [first, second] = [await commandsOn(settings[order[0]]), await commandsOn(settings[order[1]])];
    const [one, other] = await costsInTurns(first, second, scale);
    costs.push(order[0] === 'on' ? { on: one, off: other } : { on: other, off: one });
    await Promise.all([first.stop(), second.stop()]);
  }
  await collector.stop();
  const [on, off] = [mean(costs.map((each) => each.on)), mean(costs.map((each) => each.off))];
  const share = (on / off - 1) * 100;
  return { what: 'what tracing at 10 % sampling adds to a command over gRPC', measured: share, unit: '% of its processor time', limit: { what: 'µs a command without tracing', measured: off }, target: '3 %', reached: share <= 3 };
}

/** Microseconds a command of each, where neither is disturbed by a full garbage collection or the like: the middle half of their turns. */
async function costsInTurns(first: Commands, second: Commands, scale: number): Promise<[number, number]> {
  await first.microsecondsEach(Math.ceil(20_000 * scale));
  await second.microsecondsEach(Math.ceil(20_000 * scale));
  const count = Math.ceil(1_500 * scale);
  const taken: [number[], number[]] = [[], []];
  // Who begins changes from turn to turn.
  for (let round = 0; round < rounds; round++) {
    const turns = [async () => taken[0].push(await first.microsecondsEach(count)), async () => taken[1].push(await second.microsecondsEach(count))];
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
  }
  return [middle(taken[0]), middle(taken[1])];
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The mean of the middle half. */
function middle(values: readonly number[]): number {
  const quarter = values.length >> 2;
  return mean([...values].sort((a, b) => a - b).slice(quarter, values.length - quarter));
}

interface Commands {
  microsecondsEach(count: number): Promise<number>;
  stop(): Promise<void>;
}

/** A platform that is given commands, and told what they cost it. */
async function commandsOn(settings: NodeJS.ProcessEnv): Promise<Commands> {
  const platform = await startPlatform(settings);
  const client = grpcClient('tarl/projects/v1/projects.proto', 'tarl.projects.v1.Projects', platform);
  return {
    async microsecondsEach(count: number): Promise<number> {
      let left = count;
      const worker = async () => {
        while (left-- > 0) await callUnary(client, 'CreateProject', { project: `p${randomUUID().replaceAll('-', '')}` });
      };
      const before = await platform.cpuSeconds();
      await Promise.all(Array.from({ length: inFlight }, worker));
      return (((await platform.cpuSeconds()) - before) / count) * 1e6;
    },
    async stop(): Promise<void> {
      client.close();
      await platform.stop();
    },
  };
}

async function startCollector(): Promise<{ url: string; stop(): Promise<void> }> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./support/stub.js', import.meta.url)), 'collector'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    url: `http://127.0.0.1:${line.toString().trim()}`,
    stop: async () => {
      child.kill();
      await once(child, 'exit');
    },
  };
}
