import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { Stores } from './stores.js';

const node = resolve('node_modules/node/bin/node');

/** What is wrong with a process from its start. */
export interface Ailment {
  readonly poisoned?: boolean;
  readonly slowMs?: number;
}

/** Processes that project, react and work; each can be killed, and one comes in its place. */
export class Herd {
  private readonly members: { readonly child: ChildProcess; readonly isAiling: boolean }[] = [];
  private count = 0;

  constructor(private readonly stores: Stores) {}

  /** Starts one more and waits until it says that it has begun. */
  async join(ailment: Ailment = {}): Promise<void> {
    const { shakyEventStoreUrl, postgresUrl } = this.stores;
    const args = { eventStoreUrl: shakyEventStoreUrl, postgresUrl, name: `chaos-${++this.count}`, ...ailment };
    const child = spawn(node, ['test/support/chaos-process.mjs', JSON.stringify(args)], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.members.push({ child, isAiling: Object.keys(ailment).length > 0 });
    const died = once(child, 'exit').then(([code, signal]) => (signal === 'SIGKILL' ? undefined : Promise.reject(new Error(`A process of the platform ended by itself with ${code ?? signal}`))));
    await Promise.race([once(child.stdout, 'data'), died]);
  }

  /** Kills the member that the choice, from 0 to 1, falls on. */
  async killOne(choice: number): Promise<void> {
    const [member] = this.members.splice(Math.floor(choice * this.members.length), 1);
    if (member) await kill(member.child);
  }

  /** Sets the clock of one of them. */
  setClock(choice: number, ms: number): void {
    this.members[Math.floor(choice * this.members.length)]?.child.stdin?.write(`clock ${ms}\n`);
  }

  /** Leaves none that ails, all clocks right, and as many as wanted that live. */
  async heal(wanted: number): Promise<void> {
    for (const { child } of this.members.filter(({ isAiling }) => isAiling)) await kill(child);
    const healthy = this.members.filter(({ child, isAiling }) => !isAiling && child.exitCode === null && child.signalCode === null);
    this.members.splice(0, Infinity, ...healthy);
    for (const { child } of healthy) child.stdin?.write('clock 0\n');
    while (this.members.length < wanted) await this.join();
  }

  async close(): Promise<void> {
    while (this.members.length > 0) await this.killOne(0);
  }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
