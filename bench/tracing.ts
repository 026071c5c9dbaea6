import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { median, type BenchOptions, type Row } from './kit.js';
import { callUnary, grpcClient } from './support/grpc-client.js';
import { startPlatform } from './support/platform.js';

const inFlight = 64;
const rounds = 12;
const sample = 0.1;

/**
 * What tracing at 10 % sampling adds to a command: processor time of the platform's process, from the wire to the rows of
 * the view, of two platforms that take the same commands in turns, one with tracing and one without.
 */
export async function tracingCost({ scale }: BenchOptions): Promise<Row> {
  const collector = await startCollector();
  const [traced, plain] = await Promise.all([commandsOn({ TARL_OTEL_EXPORTER: 'otlp', TARL_OTEL_ENDPOINT: collector.url, TARL_OTEL_SAMPLE: `${sample}` }), commandsOn({ TARL_OTEL_EXPORTER: 'none' })]);
  const count = Math.ceil(8_000 * scale);
  const added: number[] = [];
  const without: number[] = [];
  // The first two turns warm up; who begins changes from turn to turn.
  for (let round = -2; round < rounds; round++) {
    const first = round % 2 === 0 ? await traced.microsecondsEach(count) : undefined;
    const off = await plain.microsecondsEach(count);
    const on = first ?? (await traced.microsecondsEach(count));
    if (round < 0) continue;
    added.push(on - off);
    without.push(off);
  }
  await Promise.all([traced.stop(), plain.stop()]);
  await collector.stop();
  const share = (median(added) / median(without)) * 100;
  return { what: 'what tracing at 10 % sampling adds to a command over gRPC', measured: share, unit: '% of its processor time', limit: { what: 'µs a command without tracing', measured: median(without) }, target: '3 %', reached: share <= 3 };
}

/** A platform that is given commands, and told what they cost it. */
async function commandsOn(settings: NodeJS.ProcessEnv) {
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
