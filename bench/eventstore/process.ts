import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A process that was forked to be measured. */
export interface BenchProcess {
  readonly child: ChildProcess;
  /** Resident memory in MiB. */
  memory(): number;
  /** Processor time used so far, in ms. */
  cpuMs(): number;
  stop(): Promise<void>;
}

/** Forks a script, which ends when its channel closes. */
export function startProcess(script: URL, args: string[], flags: readonly string[] = []): BenchProcess {
  const file = fileURLToPath(script);
  const child = fork(file, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [...flags, ...profiling(basename(file, '.js'))] });
  const told = (name: string) => readFileSync(`/proc/${child.pid}/${name}`, 'utf8');
  return {
    child,
    memory: () => Number(/VmRSS:\s+(\d+)/.exec(told('status'))?.[1]) / 1024,
    cpuMs: () => {
      const fields = told('stat').split(') ')[1]!.split(' ');
      return (Number(fields[11]) + Number(fields[12])) * 10;
    },
    stop: () => ended(child),
  };
}

/** `TARL_BENCH_PROFILE=dir` writes a CPU profile of each process there. */
function profiling(name: string): string[] {
  const dir = process.env['TARL_BENCH_PROFILE'];
  return dir ? ['--cpu-prof', `--cpu-prof-dir=${dir}`, `--cpu-prof-name=${name}.\${pid}.cpuprofile`] : [];
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.disconnect();
  });
}
