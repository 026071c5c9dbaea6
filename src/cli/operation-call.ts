import { setTimeout as delay } from 'node:timers/promises';
import type { NewOperation, Operation } from '../api/core.js';
import { CommandFailure, exitCodes } from './exit-codes.js';
import type { LocalRun } from './local-run.js';
import { callRest } from './rest.js';

const ask_ms = 200;

const verbs = { rebuild: 'rebuild', comparison: 'compare', rollback: 'rollBack' } as const;

/** Begins work on a view, or finds it under way, and gives it again and again until it has ended. Whoever stops listening does not stop it. */
export async function* watched(run: LocalRun, { kind, view, onDifference }: Omit<NewOperation, 'actor'>): AsyncGenerator<Operation> {
  const running = await underWay(run, view);
  let operation = running?.metadata.kind === kind ? running : await ask(run, 'POST', `/api/v1/projections/{view}:${verbs[kind]}`, { view, onDifference });
  for (;;) {
    yield operation;
    if (operation.done) return;
    await delay(ask_ms);
    operation = await ask(run, 'GET', `/api/v1/${operation.name}`);
  }
}

/** Has the work on a view stand still, go on, or end. */
export async function steer(run: LocalRun, view: string, wish: 'pause' | 'resume' | 'cancel'): Promise<Operation> {
  const operation = await underWay(run, view);
  if (!operation) throw new CommandFailure(`Nothing is under way for ${view}.`, exitCodes.notFound);
  return ask(run, 'POST', `/api/v1/${operation.name}:${wish}`);
}

/** The newest operations, newest first. */
export async function listOperations(run: LocalRun): Promise<readonly Operation[]> {
  const { operations } = await callRest(run, { method: 'GET', path: '/api/v1/operations' }, {});
  return operations as readonly Operation[];
}

const underWay = async (run: LocalRun, view: string): Promise<Operation | undefined> =>
  (await listOperations(run)).find(({ done, metadata }) => !done && metadata.view === view);

const ask = async (run: LocalRun, method: 'GET' | 'POST', path: `/api/v1/${string}`, input: Readonly<Record<string, unknown>> = {}): Promise<Operation> =>
  (await callRest(run, { method, path }, input)) as unknown as Operation;
