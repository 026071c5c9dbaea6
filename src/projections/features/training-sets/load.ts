import { requireTrainingSet } from '../../../domain/features/training-sets/decisions.js';
import { trainingSet, type SavedTrainingSet, type TrainingSetState } from '../../../domain/features/training-sets/state.js';
import { trainingSetStream } from '../../../domain/features/streams.js';
import { resourceName } from '../../../domain/kit/index.js';
import { evolveStored } from '../../../platform/eventstore/decode-stored.js';
import type { EventStore } from '../../../platform/eventstore/port.js';

/** A saved training set as the log has it now. Refuses where there is none. */
export async function loadTrainingSet(eventStore: EventStore, project: string, name: string): Promise<SavedTrainingSet> {
  let state: TrainingSetState = trainingSet.initialState;
  // What cannot be a name stands in no stream's name either.
  if (![project, name].every((part) => resourceName.safeParse(part).success)) return requireTrainingSet({ project, trainingSet: name }, state);
  for await (const event of eventStore.readStream(trainingSetStream(project, name))) {
    state = evolveStored(trainingSet, state, event);
  }
  return requireTrainingSet({ project, trainingSet: name }, state);
}
