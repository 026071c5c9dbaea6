import type { Projections, RetryOutcome } from '../../api/core.js';
import type { ProjectionEvent } from '../../domain/projections/events.js';
import { projectionStream, skippedEvents } from '../../domain/projections/state.js';
import { Refusal } from '../../domain/kit/index.js';
import type { ActionContext } from '../kit/action.js';
import { identityOf } from '../kit/execute.js';
import { eventIdOf, eventMetadata } from '../kit/metadata.js';

/** Tries the parked events of a view again, or those of one key. */
export async function retryParked({ view, key }: { view: string; key?: string }, { projections, request }: ActionContext): Promise<RetryOutcome> {
  if (key !== undefined) await requireParked(projections, view, key);
  return projections.retryParked(view, { key }, request.signal);
}

/**
 * Lets a view go on without the first event that waits under a key. The log says who decided it and why before it takes
 * effect: a crash in between leaves the event parked, and the decision can be made again.
 */
export async function skipParked(input: { view: string; key: string; reason: string }, { eventStore, projections, request }: ActionContext): Promise<RetryOutcome> {
  const { view, key, event, error } = await requireParked(projections, input.view, input.key);
  if (error === undefined) {
    throw new Refusal('FAILED_PRECONDITION', `The key ${key} of ${view} only waits for an earlier event of the stream ${event.stream}`, { reason: 'KEY_WAITS' });
  }
  const { id, type, stream, position } = event;
  const skipped: ProjectionEvent = { type: 'ParkedEventSkipped', data: { view, key, event: { id, type, stream, position }, error, reason: input.reason } };
  const identity = identityOf({ name: 'SkipParkedEvent' }, input, request);
  const { version } = skippedEvents.events[0]!;
  await eventStore.append(projectionStream(view), [{ id: eventIdOf(identity, id), ...skipped, metadata: { ...eventMetadata(identity, request, version) } }], { expected: 'any' });
  return projections.retryParked(view, { key, skip: id }, request.signal);
}

async function requireParked(projections: Projections, view: string, key: string) {
  const [parked] = await projections.parked({ view, key });
  if (parked) return parked;
  throw new Refusal('NOT_FOUND', `The key ${key} of ${view} is not parked`, { reason: 'KEY_NOT_PARKED' });
}
