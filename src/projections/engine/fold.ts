import { setImmediate as nextTurn } from 'node:timers/promises';
import type { StoredEvent } from '../../platform/eventstore/port.js';
import type { View, ViewBuild } from '../kit/view.js';
import { ViewFailed } from './failures.js';

/** How long a fold may keep the process from answering others. */
const turn_ms = 8;
const eventsPerLook = 16;

/** Adds events to a build, with pauses for the other work of the process: an event may hold thousands of rows. */
export async function addInTurns(view: View, build: ViewBuild, events: readonly StoredEvent[]): Promise<void> {
  let turnEnds = performance.now() + turn_ms;
  for (let from = 0; from < events.length; from += eventsPerLook) {
    const few = events.slice(from, from + eventsPerLook);
    try {
      build.add(few);
    } catch (cause) {
      throw new ViewFailed(view.name, few, cause);
    }
    if (performance.now() < turnEnds) continue;
    await nextTurn();
    turnEnds = performance.now() + turn_ms;
  }
}
