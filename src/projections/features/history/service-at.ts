import { requireService } from '../../../domain/features/services/decisions.js';
import { featureService, type FeatureService, type FeatureServiceDefinition } from '../../../domain/features/services/state.js';
import { featureServiceStream } from '../../../domain/features/streams.js';
import { resourceName } from '../../../domain/kit/index.js';
import { evolveStored } from '../../../platform/eventstore/decode-stored.js';
import type { EventStore } from '../../../platform/eventstore/port.js';
import { isKnown, type KnownAt } from './known.js';

/**
 * A service as it was known, so that a training set asked again has the same columns. A read of what was known before
 * the service was made takes it as it was made: it only says what is asked.
 */
export async function serviceAt(eventStore: EventStore, project: string, service: string, known: KnownAt, signal?: AbortSignal): Promise<FeatureServiceDefinition> {
  let state: FeatureService = featureService.initialState;
  // What cannot be a name stands in no stream's name either.
  if (![project, service].every((name) => resourceName.safeParse(name).success)) return requireService({ project, service }, state);
  for await (const event of eventStore.readStream(featureServiceStream(project, service), { signal })) {
    if (state.status !== 'absent' && !isKnown(known, { position: event.position, recordedAtUs: event.recordedAt.getTime() * 1000 })) break;
    state = evolveStored(featureService, state, event);
  }
  return requireService({ project, service }, state);
}
