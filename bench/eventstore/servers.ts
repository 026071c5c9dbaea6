import { fork, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MEMORY_FLAGS } from '../../src/platform/eventstore/embedded/memory-flags.js';

/** A server in a process of its own. */
export interface BenchServer {
  readonly url: string;
  /** Resident memory in MiB. */
  memory(): number;
  /** Processor time used so far, in ms. */
  cpuMs(): number;
  stop(): Promise<void>;
}

/** The embedded node on a folder of its own, which goes with it unless a folder is given. */
export async function startNode(folder?: string, projections: 'all' | 'none' = 'none'): Promise<BenchServer> {
  const dir = folder ?? (await mkdtemp(join(tmpdir(), 'tarl-bench-eventstore-')));
  const server = await start(new URL('../../src/platform/eventstore/embedded/main.js', import.meta.url), ['--dir', dir, '--port', '0', '--projections', projections]);
  return {
    ...server,
    stop: async () => {
      await server.stop();
      if (folder === undefined) await rm(dir, { recursive: true, force: true });
    },
  };
}

/** The server that does nothing. */
export const startStub = (): Promise<BenchServer> => start(new URL('./stub.js', import.meta.url), []);

async function start(script: URL, args: string[]): Promise<BenchServer> {
  const child = fork(fileURLToPath(script), args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [...MEMORY_FLAGS, ...profiling()] });
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (ready: { port: number }) => resolve(ready.port));
    child.once('exit', (code) => reject(new Error(`${script.pathname} ended with ${code} before it served`)));
  });
  return {
    url: `esdb://127.0.0.1:${port}?tls=false`,
    memory: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024,
    cpuMs: () => {
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
      return (Number(fields[11]) + Number(fields[12])) * 10;
    },
    stop: () => ended(child),
  };
}

/** `TARL_BENCH_PROFILE=dir` writes a CPU profile of each server there. */
function profiling(): string[] {
  const dir = process.env['TARL_BENCH_PROFILE'];
  return dir ? ['--cpu-prof', `--cpu-prof-dir=${dir}`] : [];
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}
