import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../src/platform/root.js';

/** A platform of its own for one bench: fresh data folder, free ports, the same program that `npm start` runs. */
export interface BenchPlatform {
  readonly addresses: { readonly rest: string; readonly grpc: string; readonly graphql: string };
  readonly key: string;
  /** Processor time in seconds that the process with the wires and the projections has taken; the stores are others. */
  cpuSeconds(): Promise<number>;
  /** Resident memory in MiB of all its processes together. */
  residentMiB(): Promise<number>;
  stop(): Promise<void>;
}

const cli = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const nodeFlags: string[] = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')).config.node.split(' ');
export const freePorts = { TARL_HTTP_PORT: '0', TARL_GRPC_PORT: '0', TARL_GRAPHQL_PORT: '0', TARL_EVENTSTORE_PORT: '0', TARL_POSTGRES_PORT: '0' };

export async function startPlatform(settings: NodeJS.ProcessEnv = {}): Promise<BenchPlatform> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tarl-bench-'));
  const env = { ...process.env, ...freePorts, TARL_DATA_DIR: dataDir, TARL_LOG_LEVEL: 'warn', ...settings };
  const child = spawn(process.execPath, [...nodeFlags, cli, 'up', '--json'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => Promise.reject(new Error('The platform did not start')))])) as [Buffer];
  const { addresses } = JSON.parse(line.toString());
  const key = await readFile(join(dataDir, 'run', 'key'), 'utf8');
  return {
    addresses,
    key,
    cpuSeconds: () => cpuSeconds(child.pid!),
    residentMiB: () => residentMiB(child.pid!),
    stop: async () => {
      child.kill('SIGINT');
      await once(child, 'exit');
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Of all its threads together, to the nanosecond: the first field of their schedstat files. One that has just ended counts no more. */
async function cpuSeconds(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const texts = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(() => '0')));
  return texts.reduce((sum, text) => sum + Number(text.split(' ')[0]), 0) / 1e9;
}

/** Proportional memory where the kernel tells it, so that Postgres' shared buffers count once. */
async function residentMiB(root: number): Promise<number> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    const status = /^\d+$/.test(name) ? await readFile(`/proc/${name}/status`, 'utf8').catch(() => '') : '';
    const parent = /^PPid:\s+(\d+)/m.exec(status)?.[1];
    if (parent) parents.set(Number(name), Number(parent));
  }
  const family = [root];
  for (const pid of family) for (const [child, parent] of parents) if (parent === pid) family.push(child);
  const sizes = await Promise.all(family.map((pid) => readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')));
  return sizes.reduce((sum, text) => sum + Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0), 0) / 1024;
}
