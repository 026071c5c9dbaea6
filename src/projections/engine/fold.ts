import type { StoredEvent } from '../../platform/eventstore/port.js';
import type { ViewBuild } from '../kit/view.js';
import type { Pace } from './rebuild-pace.js';

/** The clock is looked at once in so many bytes of events: for each small event it would take a tenth of the fold's time. */
const bytesPerLook = 4096;

/** Adds events to a build, with pauses for the other work of the process: an event may hold thousands of rows. */
export async function addInTurns(build: Pick<ViewBuild, 'add'>, events: readonly StoredEvent[], pace: Pick<Pace, 'isDue' | 'rest'>): Promise<void> {
  let bytes = 0;
  for (const event of events) {
    build.add(event);
    bytes += event.dataSize ?? bytesPerLook;
    if (bytes < bytesPerLook) continue;
    bytes = 0;
    if (pace.isDue) await pace.rest();
  }
}
