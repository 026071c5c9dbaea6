import { setImmediate as nextTurn } from 'node:timers/promises';
import type { StoredEvent } from '../../platform/eventstore/port.js';
import type { ViewBuild } from '../kit/view.js';

/** How long a fold may keep the process from answering others. */
const turn_ms = 8;
const eventsPerLook = 16;

/** Adds events to a build, with pauses for the other work of the process: an event may hold thousands of rows. */
export async function addInTurns(build: Pick<ViewBuild, 'add'>, events: readonly StoredEvent[]): Promise<void> {
  let turnEnds = performance.now() + turn_ms;
  for (let index = 0; index < events.length; index++) {
    build.add(events[index]!);
    if (index % eventsPerLook !== 0 || performance.now() < turnEnds) continue;
    await nextTurn();
    turnEnds = performance.now() + turn_ms;
  }
}
