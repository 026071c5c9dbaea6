import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { BenchOptions, Row } from './kit.js';
import { callUnary, grpcClient } from './support/grpc-client.js';
import { startPlatform } from './support/platform.js';

const inFlight = 64;
const rounds = 8;
const pairs = 8;
const turnsInOneProcess = 40;
const sample = 0.1;

/**
 * What tracing at 10 % sampling adds to a command: processor time of the platform's process, from the wire to the rows of
 * the view, of two platforms that take the same commands in short turns, one with tracing and one without. Two processes
 * that do just the same differ by some per cent for as long as they live, by how their code happened to be compiled and
 * by which was started first: so there are many pairs, started in either order. Each is compared by itself, because the
 * machine changes from one to the next.
 */
export async function tracingOnAndOff({ scale, log }: BenchOptions): Promise<Row> {
  const collector = await startCollector();
  const settings = {
    on: { TARL_OTEL_EXPORTER: 'otlp', TARL_OTEL_ENDPOINT: collector.url, TARL_OTEL_SAMPLE: `${sample}` },
    off: { TARL_OTEL_EXPORTER: 'none' },
  };
  const shares: number[] = [];
  const without: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const [one, other] = pair % 2 === 0 ? (['on', 'off'] as const) : (['off', 'on'] as const);
    const [first, second] = [await commandsOn(settings[one]), await commandsOn(settings[other])];
    const taken = await costsInTurns(first, second, scale);
    const [on, off] = one === 'on' ? taken : [taken[1], taken[0]];
    shares.push((on / off - 1) * 100);
    without.push(off);
    log(`  pair ${pair + 1}: ${on.toFixed(1)} µs with tracing, ${off.toFixed(1)} µs without`);
    await Promise.all([first.stop(), second.stop()]);
  }
  await collector.stop();
  const share = middle(shares);
  return { what: 'what tracing at 10 % sampling adds to a command over gRPC: a process with it beside one without', measured: share, unit: '% of its processor time', limit: { what: 'µs a command without tracing', measured: middle(without) }, target: '3 %', reached: share <= 3 };
}

/**
 * What of that is owed to the commands that are recorded, in one process: commands all of which are recorded take turns with
 * commands none of which are, and a tenth of the difference is what one in ten costs. It is known far better than what
 * two processes differ by.
 */
export async function recordedCost({ scale }: BenchOptions): Promise<Row> {
  const collector = await startCollector();
  const commands = await commandsOn({ TARL_OTEL_EXPORTER: 'otlp', TARL_OTEL_ENDPOINT: collector.url, TARL_OTEL_SAMPLE: `${sample}` });
  await commands.warmUp(Math.ceil(15_000 * scale));
  const count = Math.ceil(750 * scale);
  const taken = { recorded: [] as number[], not: [] as number[] };
  for (let turn = 0; turn < turnsInOneProcess; turn++) {
    for (const which of turn % 2 === 0 ? (['recorded', 'not'] as const) : (['not', 'recorded'] as const)) taken[which].push(await commands.microsecondsEach(count, which));
  }
  await commands.stop();
  await collector.stop();
  const not = middle(taken.not);
  const share = (middle(taken.recorded) / not - 1) * 100 * sample;
  return { what: 'what recording one in ten adds to a command over gRPC, in one process', measured: share, unit: '% of its processor time', limit: { what: 'µs a command that is not recorded', measured: not }, target: '3 %', reached: share <= 3 };
}

/** Microseconds a command of each, where neither is disturbed by a full garbage collection or the like: the middle half of their turns. */
async function costsInTurns(first: Commands, second: Commands, scale: number): Promise<[number, number]> {
  for (const each of [first, second]) await each.warmUp(Math.ceil(7_500 * scale));
  const count = Math.ceil(750 * scale);
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
  /** Some of these are recorded, where there is tracing: else the code of a span would be compiled long after that of a command. */
  warmUp(count: number): Promise<void>;
  /** What the process has taken since it was asked last counts, so that spans sent while others have their turn are not free. Who calls can also say that all are recorded, or none. */
  microsecondsEach(count: number, which?: 'recorded' | 'not'): Promise<number>;
  stop(): Promise<void>;
}

/** A platform that is given commands, and told what they cost it. */
async function commandsOn(settings: NodeJS.ProcessEnv): Promise<Commands> {
  const platform = await startPlatform(settings);
  const connect = () => grpcClient('tarl/projects/v1/projects.proto', 'tarl.projects.v1.Projects', platform);
  const [client, recorded, not] = [connect(), connect(), connect()];
  for (const [caller, flag] of [[recorded, '01'], [not, '00']] as const) (caller as any).metadata.set('traceparent', `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-${flag}`);
  const send = async (through: ReturnType<typeof grpcClient>, count: number) => {
    let left = count;
    const worker = async () => {
      while (left-- > 0) await callUnary(through, 'CreateProject', { project: `p${randomUUID().replaceAll('-', '')}` });
    };
    await Promise.all(Array.from({ length: inFlight }, worker));
  };
  let before = 0;
  return {
    async warmUp(count: number): Promise<void> {
      for (const through of [recorded, not, client]) await send(through, Math.ceil(count / 3));
      before = await platform.cpuSeconds();
    },
    async microsecondsEach(count, which): Promise<number> {
      await send(which === undefined ? client : { recorded, not }[which], count);
      const after = await platform.cpuSeconds();
      const each = ((after - before) / count) * 1e6;
      before = after;
      return each;
    },
    async stop(): Promise<void> {
      for (const each of [client, recorded, not]) each.close();
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
