import { startProcess } from './process.js';
import { inTurns } from '../kit.js';
import type { workloads } from './workloads.js';

type Workloads = typeof workloads;

/**
 * A client of an event store in a process of its own. It does one workload with one server all its life: what else a process
 * has done slows the client down, to half in the end.
 */
export interface BenchClient<Measured = number> {
  /** Does the workload once. */
  measure(): Promise<Measured>;
  /** Processor time used so far, in ms. */
  cpuMs(): number;
  stop(): Promise<void>;
}

export function startClient<Name extends keyof Workloads>(workload: Name, ...parameters: Parameters<Workloads[Name]>): BenchClient<Awaited<ReturnType<Workloads[Name]>>> {
  const { child, cpuMs, stop } = startProcess(new URL('./client.js', import.meta.url), [workload, JSON.stringify(parameters)]);
  return {
    measure: () =>
      new Promise((resolve, reject) => {
        const ended = (code: number | null) => reject(new Error(`The client of ${workload} ended with ${code}`));
        child.once('exit', ended);
        child.once('message', ({ measured }: { measured: Awaited<ReturnType<Workloads[Name]>> }) => {
          child.off('exit', ended);
          resolve(measured);
        });
        child.send('measure');
      }),
    cpuMs,
    stop,
  };
}

/** What a client measures so many times, after it has done its workload once: its code is compiled then. With the processor time of the client in ms. */
export async function measured<Measured>(rounds: number, client: BenchClient<Measured>): Promise<{ all: Measured[]; cpuMs: number }> {
  try {
    await client.measure();
    const before = client.cpuMs();
    const all: Measured[] = [];
    for (let round = 0; round < rounds; round++) all.push(await client.measure());
    return { all, cpuMs: client.cpuMs() - before };
  } finally {
    await client.stop();
  }
}

/** The same of two clients in turns, so that a noisy neighbour hits both. */
export async function measuredInTurns(rounds: number, ours: BenchClient, limit: BenchClient) {
  try {
    await ours.measure();
    await limit.measure();
    return await inTurns(rounds, () => ours.measure(), () => limit.measure());
  } finally {
    await Promise.all([ours.stop(), limit.stop()]);
  }
}
