import { describe, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { describeTrainingSet, saveTrainingSet } from '../../../../src/domain/features/training-sets/decisions.js';
import type { TrainingSetEvent } from '../../../../src/domain/features/training-sets/events.js';
import { trainingSet, type SavedTrainingSet } from '../../../../src/domain/features/training-sets/state.js';
import { anyContext, specify } from '../../../support/specify.js';

const given = specify(trainingSet);
const data = JSON.parse(readFileSync(new URL('../../../golden/events/TrainingSetSaved.v1.json', import.meta.url), 'utf8')) as SavedTrainingSet;
const saved: TrainingSetEvent = { type: 'TrainingSetSaved', data };
const labels = { owner: 'fraud', description: 'Checked', tags: {} };
const described: TrainingSetEvent = { type: 'TrainingSetDescribed', data: { project: 'fraud', trainingSet: 'january', ...labels } };

describe('saving a training set', () => {
  const save = (input = data) => (state: Parameters<typeof saveTrainingSet>[1]) => saveTrainingSet(input, state, anyContext);
  test('records it', () => given().when(save()).then(saved));
  test('again with the same question changes nothing, although the log holds more by now', () => given(saved).when(save({ ...data, answer: { ...data.answer, hash: data.asked } })).thenNothing());
  test('of another question under the name is refused', () => given(saved, described).when(save({ ...data, asked: data.answer.hash })).thenRefused('ALREADY_EXISTS', 'take another name'));
});

describe('describing a training set', () => {
  const describing = (state: Parameters<typeof describeTrainingSet>[1]) => describeTrainingSet({ project: 'fraud', trainingSet: 'january', ...labels }, state, anyContext);
  test('takes effect', () => given(saved).when(describing).then(described));
  test('as it is described already changes nothing', () => given(saved, described).when(describing).thenNothing());
  test('that is absent is refused', () => given().when(describing).thenRefused('NOT_FOUND'));
});
