import { setTimeout as delay } from 'node:timers/promises';
import type { Operation, RebuildProgress } from '../api/core.js';
import { refused } from './failures.js';
import type { LocalRun } from './local-run.js';
import { callRest } from './rest.js';

const ask_ms = 200;

/** Begins to rebuild a view, or finds the rebuild under way, and gives its progress until it is done. Whoever stops listening does not stop it. */
export async function* rebuildOver(run: LocalRun, view: string): AsyncGenerator<RebuildProgress> {
  let operation = (await underWay(run, view)) ?? ((await callRest(run, { method: 'POST', path: '/api/v1/projections/{view}:rebuild' }, { view })) as unknown as Operation);
  for (;;) {
    if (operation.metadata.progress) yield operation.metadata.progress;
    if (operation.done) break;
    await delay(ask_ms);
    operation = (await callRest(run, { method: 'GET', path: `/api/v1/${operation.name}` }, {})) as unknown as Operation;
  }
  if (operation.error) throw refused(operation.error);
}

async function underWay(run: LocalRun, view: string): Promise<Operation | undefined> {
  const { operations } = (await callRest(run, { method: 'GET', path: '/api/v1/operations' }, {})) as unknown as { operations: readonly Operation[] };
  return operations.find(({ done, metadata }) => !done && metadata.view === view);
}
