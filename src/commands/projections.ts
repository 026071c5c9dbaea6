import { z } from 'zod';
import type { Projections, RetryOutcome } from '../api/core.js';
import type { ProjectionEvent } from '../domain/projections/events.js';
import { projectionStream, skippedEvents } from '../domain/projections/state.js';
import { Refusal } from '../domain/kit/index.js';
import type { EventStore } from '../platform/eventstore/port.js';
import type { RequestContext } from './kit/command.js';
import { identityOf, requirePermission } from './kit/execute.js';
import { eventIdOf, eventMetadata } from './kit/metadata.js';
import { parseInput } from './kit/validate.js';

/** What it takes to change which events a view has taken. */
export const repairPermission = 'projections.repair';

const retryInput = z.object({ view: z.string(), key: z.string().optional() });
const skipInput = z.object({ view: z.string(), key: z.string(), reason: z.string().trim().min(1).max(1024) });

/** What it takes to change how a view is projected, not what it shows. */
const splitPermission = 'projections.rebuild';
const splitInput = z.object({ view: z.string(), slices: z.int() });

/** Splits a view into so many slices, which are projected side by side. */
export async function splitProjection({ projections }: Pick<Stores, 'projections'>, raw: unknown, context: RequestContext): Promise<void> {
  requirePermission({ permission: splitPermission }, undefined, context);
  const { view, slices } = parseInput(splitInput, raw);
  await projections.split(view, slices);
}

interface Stores {
  readonly eventStore: EventStore;
  readonly projections: Projections;
}

/** Tries the parked events of a view again, or those of one key. */
export async function retryParked({ projections }: Stores, raw: unknown, context: RequestContext): Promise<RetryOutcome> {
  requirePermission({ permission: repairPermission }, undefined, context);
  const { view, key } = parseInput(retryInput, raw);
  if (key !== undefined) await requireParked(projections, view, key);
  return projections.retryParked(view, { key }, context.signal);
}

/**
 * Lets a view go on without the first event that waits under a key. The log says who decided it and why before it takes
 * effect: a crash in between leaves the event parked, and the decision can be made again.
 */
export async function skipParked({ eventStore, projections }: Stores, raw: unknown, context: RequestContext): Promise<RetryOutcome> {
  requirePermission({ permission: repairPermission }, undefined, context);
  const input = parseInput(skipInput, raw);
  const { view, key, event, error } = await requireParked(projections, input.view, input.key);
  if (error === undefined) {
    throw new Refusal('FAILED_PRECONDITION', `The key ${key} of ${view} only waits for an earlier event of the stream ${event.stream}`, { reason: 'KEY_WAITS' });
  }
  const { id, type, stream, position } = event;
  const skipped: ProjectionEvent = { type: 'ParkedEventSkipped', data: { view, key, event: { id, type, stream, position }, error, reason: input.reason } };
  const identity = identityOf({ name: 'SkipParkedEvent' }, input, context);
  const { version } = skippedEvents.events[0]!;
  await eventStore.append(projectionStream(view), [{ id: eventIdOf(identity, id), ...skipped, metadata: { ...eventMetadata(identity, context, version) } }], { expected: 'any' });
  return projections.retryParked(view, { key, skip: id }, context.signal);
}

async function requireParked(projections: Projections, view: string, key: string) {
  const [parked] = await projections.parked({ view, key });
  if (parked) return parked;
  throw new Refusal('NOT_FOUND', `The key ${key} of ${view} is not parked`, { reason: 'KEY_NOT_PARKED' });
}
