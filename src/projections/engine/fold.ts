import type { StoredEvent } from '../../platform/eventstore/port.js';
import type { ViewBuild } from '../kit/view.js';
import type { Pace } from './rebuild-pace.js';

/** Adds events to a build, with pauses for the other work of the process: an event may hold thousands of rows. */
export async function addInTurns(build: Pick<ViewBuild, 'add'>, events: readonly StoredEvent[], pace: Pick<Pace, 'rest'>): Promise<void> {
  for (let index = 0; index < events.length; index++) {
    build.add(events[index]!);
    if (index % eventsPerLook === 0) await pace.rest();
  }
}

const eventsPerLook = 16;
