import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An empty Redis of its own process, for one suite. */
export interface TestRedis {
  readonly url: string;
  close(): Promise<void>;
}

/** Whether there is a Redis to start; without one, what is said of Redis stays untested here. */
export const hasRedis = isThere('redis-server');

/** Starts a Redis on a free port of this machine, which keeps everything in memory. */
export async function testRedis(): Promise<TestRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'tarl-test-redis-'));
  const { child, port } = await startOnFreePort(dir);
  return {
    url: `redis://127.0.0.1:${port}`,
    async close() {
      child.kill('SIGKILL');
      await once(child, 'exit');
      await rm(dir, { recursive: true });
    },
  };
}

/** A port that was free may be somebody else's before Redis has it; then it ends, and another one is tried. */
async function startOnFreePort(dir: string): Promise<{ child: ChildProcess; port: number }> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const child = spawn('redis-server', ['--bind', '127.0.0.1', '--port', String(port), '--dir', dir, '--save', '', '--appendonly', 'no'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    const isReady = await new Promise<boolean>((resolve) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text).includes('Ready to accept connections') && resolve(true));
      child.once('close', () => resolve(false));
    });
    if (isReady) return { child, port };
    if (attempt === 5) throw new Error(`Redis did not start: ${said}`);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function isThere(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
