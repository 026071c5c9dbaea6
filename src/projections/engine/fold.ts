import type { StoredEvent } from '../../platform/eventstore/port.js';
import type { ViewBuild } from '../kit/view.js';
import type { Pace } from './rebuild-pace.js';

/** Adds events to a build, with pauses for the other work of the process: an event may hold thousands of rows. */
export async function addInTurns(build: Pick<ViewBuild, 'add'>, events: readonly StoredEvent[], pace: Pick<Pace, 'isDue' | 'rest'>): Promise<void> {
  for (const event of events) {
    build.add(event);
    if (pace.isDue) await pace.rest();
  }
}
