import { describe, test } from '@jest/globals';
import { archiveFeatureService, changeFeatureService, createFeatureService, describeFeatureService } from '../../../../src/domain/features/services/decisions.js';
import type { FeatureServiceEvent } from '../../../../src/domain/features/services/events.js';
import { featureService } from '../../../../src/domain/features/services/state.js';
import { anyContext, specify } from '../../../support/specify.js';

const given = specify(featureService);
const name = { project: 'fraud', service: 'scoring' };
const definition = { ...name, features: ['card:amount', 'shop'], fullNames: false, owner: 'risk', description: '', tags: {} };
const created: FeatureServiceEvent = { type: 'FeatureServiceCreated', data: definition };
const changed: FeatureServiceEvent = { type: 'FeatureServiceChanged', data: { ...name, features: ['card:amount'], fullNames: true } };
const described: FeatureServiceEvent = { type: 'FeatureServiceDescribed', data: { ...name, owner: 'fraud', description: 'Cards', tags: { tier: '1' } } };
const archived: FeatureServiceEvent = { type: 'FeatureServiceArchived', data: { ...name, reason: 'Replaced' } };

describe('creating a service', () => {
  const create = (input = definition) => (state: Parameters<typeof createFeatureService>[1]) => createFeatureService(input, state, anyContext);
  test('starts it', () => given().when(create()).then(created));
  test('as it stands changes nothing', () => given(created).when(create()).thenNothing());
  test('under a name that is taken by another definition is refused', () => given(created, changed).when(create()).thenRefused('ALREADY_EXISTS'));
  test('under the name of an archived one is refused', () => given(created, archived).when(create()).thenRefused('ALREADY_EXISTS', 'archived'));
});

describe('changing what a service gives', () => {
  const change = (state: Parameters<typeof changeFeatureService>[1]) => changeFeatureService({ ...name, features: ['card:amount'], fullNames: true }, state, anyContext);
  test('takes effect', () => given(created).when(change).then(changed));
  test('to what it gives already changes nothing', () => given(created, changed).when(change).thenNothing());
  test('of an archived or absent one is refused', () => {
    given(created, archived).when(change).thenRefused('FAILED_PRECONDITION');
    given().when(change).thenRefused('NOT_FOUND');
  });
});

describe('describing a service', () => {
  const describeIt = (state: Parameters<typeof describeFeatureService>[1]) => describeFeatureService({ ...name, owner: 'fraud', description: 'Cards', tags: { tier: '1' } }, state, anyContext);
  test('takes effect', () => given(created).when(describeIt).then(described));
  test('as it is described already changes nothing', () => given(created, described).when(describeIt).thenNothing());
  test('that is archived is refused', () => given(created, archived).when(describeIt).thenRefused('FAILED_PRECONDITION'));
});

describe('archiving a service', () => {
  const archive = (state: Parameters<typeof archiveFeatureService>[1]) => archiveFeatureService({ ...name, reason: 'Replaced' }, state, anyContext);
  test('ends it', () => given(created).when(archive).then(archived));
  test('twice changes nothing', () => given(created, archived).when(archive).thenNothing());
  test('that is absent is refused', () => given().when(archive).thenRefused('NOT_FOUND'));
});
