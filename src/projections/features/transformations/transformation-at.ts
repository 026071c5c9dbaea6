import { versionedGroup } from '../../../domain/features/reference.js';
import { transformationStream } from '../../../domain/features/streams.js';
import { transformation, type Transformation } from '../../../domain/features/transformations/state.js';
import { resourceName } from '../../../domain/kit/index.js';
import { evolveStored } from '../../../platform/eventstore/decode-stored.js';
import type { EventStore } from '../../../platform/eventstore/port.js';
import { isKnown, type KnownAt } from '../history/known.js';
import { readable, type ReadableTransformation } from '../../../domain/features/transformations/readable.js';

/**
 * A transformation, or `amounts@2`, as it was known, so that a training set asked again is computed in the same way. One
 * that was registered after what is known is taken as it was first registered: it only says how known values are shown.
 */
export async function transformationAt(eventStore: EventStore, project: string, named: string, known: KnownAt, signal?: AbortSignal): Promise<ReadableTransformation> {
  const { group: name, version } = versionedGroup(named);
  let state: Transformation = transformation.initialState;
  // What cannot be a name stands in no stream's name either.
  if (![project, name].every((one) => resourceName.safeParse(one).success)) return readable(project, named, state);
  for await (const event of eventStore.readStream(transformationStream(project, name), { signal })) {
    const asked = version !== undefined && (state.status === 'absent' || state.versions.length < version);
    if (state.status !== 'absent' && !asked && !isKnown(known, { position: event.position, recordedAtUs: event.recordedAt.getTime() * 1000 })) break;
    state = evolveStored(transformation, state, event);
  }
  return readable(project, named, state);
}
