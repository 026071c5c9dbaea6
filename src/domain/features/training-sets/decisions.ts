import { Refusal, same, type Decide } from '../../kit/index.js';
import type { TrainingSetEvent } from './events.js';
import type { SavedTrainingSet, TrainingSetState } from './state.js';

type OfTrainingSet = { project: string; trainingSet: string };
type TrainingSetDecision<Input> = Decide<OfTrainingSet & Input, TrainingSetState, TrainingSetEvent>;

/** What was saved never changes. Asking the same again under the name is the same wish, whatever the log holds by now. */
export const saveTrainingSet: TrainingSetDecision<SavedTrainingSet> = (input, state) => {
  if (state.status === 'absent') return [{ type: 'TrainingSetSaved', data: input }];
  requireSameQuestion(input, state);
  return [];
};

export const describeTrainingSet: TrainingSetDecision<{ owner: string; description: string; tags: Record<string, string> }> = (input, state) => {
  const { owner, description, tags } = requireTrainingSet(input, state);
  const asItIs = same({ owner, description, tags }, { owner: input.owner, description: input.description, tags: input.tags });
  return asItIs ? [] : [{ type: 'TrainingSetDescribed', data: input }];
};

/** Refuses a name under which another question was saved. */
export function requireSameQuestion({ trainingSet, asked }: OfTrainingSet & { asked: string }, state: TrainingSetState): void {
  if (state.status === 'absent' || state.saved.asked === asked) return;
  throw new Refusal('ALREADY_EXISTS', `Training set ${trainingSet} was saved of another question; what is saved never changes, so take another name`, { reason: 'TRAINING_SET_EXISTS' });
}

/** A training set that is there. */
export function requireTrainingSet({ project, trainingSet }: OfTrainingSet, state: TrainingSetState): SavedTrainingSet {
  if (state.status === 'saved') return state.saved;
  throw new Refusal('NOT_FOUND', `Training set ${trainingSet} does not exist in project ${project}`, { reason: 'TRAINING_SET_NOT_FOUND', metadata: { trainingSet } });
}
