import { defineDecider } from '../../kit/index.js';
import { trainingSetEvents, type TrainingSetEvent } from './events.js';

/** A training set as it was saved, with the labels it has now. */
export type SavedTrainingSet = Extract<TrainingSetEvent, { type: 'TrainingSetSaved' }>['data'];

export type TrainingSetState = { status: 'absent' } | { status: 'saved'; saved: SavedTrainingSet };

const initialState: TrainingSetState = { status: 'absent' };

export const trainingSet = defineDecider({
  category: 'training_set',
  events: trainingSetEvents,
  initialState: initialState as TrainingSetState,
  on: {
    TrainingSetSaved: (_, saved): TrainingSetState => ({ status: 'saved', saved }),
    TrainingSetDescribed: (state, { owner, description, tags }): TrainingSetState => (state.status === 'absent' ? state : { ...state, saved: { ...state.saved, owner, description, tags } }),
  },
});
