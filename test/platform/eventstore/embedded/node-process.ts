import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const entry = fileURLToPath(new URL('../../../../dist/src/platform/eventstore/embedded/main.js', import.meta.url));

/** A node in a process of its own. */
export class NodeProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {}

  static async start(dir: string, flags: readonly string[] = []): Promise<NodeProcess> {
    const child = fork(entry, ['--dir', dir, '--port', '0'], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [...flags] });
    const [ready] = (await Promise.race([once(child, 'message'), once(child, 'exit').then(([code]) => Promise.reject(new Error(`the node ended with ${code}`)))])) as [{ port: number }];
    return new NodeProcess(child, ready.port);
  }

  get url(): string {
    return `esdb://127.0.0.1:${this.port}?tls=false`;
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Ends it without giving it a chance to finish anything. */
  kill(): Promise<void> {
    return this.end('SIGKILL').then(() => undefined);
  }

  /** Asks it to stop; resolves with its exit code. */
  stop(): Promise<number> {
    return this.end('SIGTERM');
  }

  private async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number> {
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    const [code] = (await ended) as [number];
    return code;
  }
}
