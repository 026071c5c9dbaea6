import { Refusal, resourceName } from '../../../domain/kit/index.js';
import { requireShared, requireVersion } from '../../../domain/features/decisions.js';
import { groupNamed } from '../../../domain/features/reference.js';
import { featureGroup, type FeatureGroup, type FeatureGroupDefinition } from '../../../domain/features/state.js';
import { featureGroupStream } from '../../../domain/features/streams.js';
import { evolveStored } from '../../../platform/eventstore/decode-stored.js';
import { comparePositions, formatPosition, type EventStore, type Position } from '../../../platform/eventstore/port.js';

/**
 * A group, or `group@2`, as it was declared at a place in the log, so that a training set asked again uses the same TTL and types.
 * Refuses when it was not there, and when it is of another project (`fraud/cards`) that does not share it now: who may read is a
 * matter of now, what is read is of then.
 */
export async function groupAt(eventStore: EventStore, project: string, named: string, until: Position, signal?: AbortSignal): Promise<FeatureGroupDefinition> {
  const { project: owner, group, version } = groupNamed(project, named);
  const foreign = owner !== project;
  let state: FeatureGroup = featureGroup.initialState;
  let then: FeatureGroup | undefined;
  // What cannot be a name stands in no stream's name either.
  const isName = [owner, group].every((name) => resourceName.safeParse(name).success);
  if (!isName && !foreign) throw absent(project, group, until);
  for await (const event of isName ? eventStore.readStream(featureGroupStream(owner, group), { signal }) : []) {
    if (comparePositions(event.position, until) > 0) then ??= state;
    if (then && !foreign) break;
    state = evolveStored(featureGroup, state, event);
  }
  if (foreign) requireShared({ project: owner, group, withProject: project }, state);
  then ??= state;
  if (then.status !== 'absent') return requireVersion({ project: owner, group, version }, then);
  throw absent(owner, group, until);
}

const absent = (project: string, group: string, until: Position) =>
  new Refusal('NOT_FOUND', `Feature group ${group} does not exist in ${project} at position ${formatPosition(until)}`, { reason: 'FEATURE_GROUP_NOT_FOUND', metadata: { group } });
