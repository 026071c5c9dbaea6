import type { LocalRun } from '../src/cli/local-run.js';
import { rebuildBar } from '../src/cli/rebuild-bar.js';
import { rebuildOver } from '../src/cli/rebuild-call.js';

/** The view of the latest values. */
const view = 'feature-online';

/** Builds the latest values anew from the log, beside the live ones, and switches to them; says from how much. */
export async function rebuildOnline(connection: LocalRun): Promise<number> {
  const bar = rebuildBar(view);
  let events = 0;
  try {
    for await (const progress of rebuildOver(connection, view)) {
      bar.update(progress);
      events = progress.events;
    }
  } finally {
    bar.stop();
  }
  return events;
}
