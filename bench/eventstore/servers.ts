import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MEMORY_FLAGS } from '../../src/platform/eventstore/embedded/memory-flags.js';
import { startProcess, type BenchProcess } from './process.js';

/** A server in a process of its own. */
export interface BenchServer extends BenchProcess {
  readonly url: string;
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
  const server = startProcess(script, args, MEMORY_FLAGS);
  const port = await new Promise<number>((resolve, reject) => {
    server.child.once('message', (ready: { port: number }) => resolve(ready.port));
    server.child.once('exit', (code) => reject(new Error(`${script.pathname} ended with ${code} before it served`)));
  });
  return { ...server, url: `esdb://127.0.0.1:${port}?tls=false` };
}
