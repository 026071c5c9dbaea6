import type { Operation, Projections } from '../../../api/core.js';
import { Refusal } from '../../../domain/kit/index.js';
import type { View } from '../../kit/view.js';
import { pause } from '../pause.js';
import { compareRebuilt, rebuild, rollBack } from '../rebuild.js';
import type { Steering } from '../rebuild-course.js';
import type { EngineLog, World } from '../world.js';

const look_ms = 200;

/** Does what an operation stands for. */
export async function runOperation({ metadata: { kind } }: Operation, view: View, world: World, steering: Steering): Promise<void> {
  if (kind === 'rollback') return rollBack(view, world, steering);
  if (kind === 'comparison') return void steering.compared?.(await compareRebuilt(view, world, steering));
  await rebuild(view, world, steering.tell ?? (() => undefined), steering.interrupted, steering);
}

/** Compares each view in an operation of its own. One that is being rebuilt is passed over; one that differs is told of in the log. */
export async function compareAll(views: readonly string[], projections: Pick<Projections, 'begin' | 'operation'>, actor: string, log: EngineLog, signal: AbortSignal): Promise<void> {
  for (const view of views) {
    if (signal.aborted) return;
    const begun = await projections.begin({ kind: 'comparison', view, actor }).catch(unlessRunning);
    const { metadata: { comparison } = {}, error } = begun ? await ended(begun, projections, signal) : {};
    if (error) log.warn({ view, err: error }, 'A view could not be compared with what the log gives');
    else if (comparison && !comparison.same) log.error({ view, position: comparison.position, tables: comparison.tables }, 'The rows of a view differ from what the log gives');
  }
}

async function ended(operation: Operation, projections: Pick<Projections, 'operation'>, signal: AbortSignal): Promise<Operation> {
  while (!operation.done && !signal.aborted) {
    await pause(look_ms, signal);
    operation = await projections.operation(operation.name.slice('operations/'.length));
  }
  return operation;
}

function unlessRunning(error: unknown): undefined {
  if (!(error instanceof Refusal && error.details.reason === 'REBUILD_RUNNING')) throw error;
}
