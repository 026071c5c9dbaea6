import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median, type BenchOptions, type Row } from './kit.js';
import { freePorts } from './support/platform.js';

/** From `npm start` to ready, everything installed and built, on a data folder that is there already. */
export async function startBench({ log }: BenchOptions): Promise<Row[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tarl-bench-start-'));
  log('  first start, which makes the data folder');
  await start(dataDir);
  const seconds: number[] = [];
  for (let round = 0; round < 3; round++) seconds.push(await start(dataDir));
  await rm(dataDir, { recursive: true, force: true });
  const measured = median(seconds);
  return [{ what: '`npm start`, when installed, to ready', measured, unit: 's', target: '5 s', reached: measured <= 5 }];
}

async function start(dataDir: string): Promise<number> {
  const started = performance.now();
  const child = spawn('npm', ['start', '--silent', '--', '--json'], { env: { ...process.env, ...freePorts, TARL_DATA_DIR: dataDir, TARL_LOG_LEVEL: 'warn' }, stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  await once(child.stdout, 'data');
  const seconds = (performance.now() - started) / 1000;
  process.kill(-child.pid!, 'SIGINT');
  await once(child, 'exit');
  return seconds;
}
