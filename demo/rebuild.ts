import type { LocalRun } from '../src/cli/local-run.js';
import { refused } from '../src/cli/failures.js';
import { operationBar } from '../src/cli/operation-bar.js';
import { watched } from '../src/cli/operation-call.js';

/** The latest values, built anew. */
const work = { kind: 'rebuild', view: 'feature-online' } as const;

/** Builds the latest values anew from the log, beside the live ones, compares both and switches; says from how much. */
export async function rebuildOnline(connection: LocalRun): Promise<number> {
  const bar = operationBar(work);
  let events = 0;
  try {
    for await (const operation of watched(connection, work)) {
      bar.update(operation);
      if (operation.error) throw refused(operation.error);
      events = operation.metadata.progress?.events ?? events;
    }
  } finally {
    bar.stop();
  }
  return events;
}
