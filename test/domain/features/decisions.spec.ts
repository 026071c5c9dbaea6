import { describe, expect, test } from '@jest/globals';
import { archiveFeatureGroup, changeFeatureGroupTtl, createFeatureGroup, deleteFeatureEntity, describeFeatureGroup, promoteFeatureGroupVersion, registerFeature, requireVersion, rollBackFeatureGroup, shareFeatureGroup, stageFeatureGroupVersion, unshareFeatureGroup } from '../../../src/domain/features/decisions.js';
import { mostFeatures, type FeatureSource, type FeatureSpec } from '../../../src/domain/features/definition.js';
import type { FeatureGroupEvent } from '../../../src/domain/features/events.js';
import { partitionOf } from '../../../src/domain/features/keys.js';
import { featureGroup } from '../../../src/domain/features/state.js';
import { anyContext, specify } from '../../support/specify.js';

const given = specify(featureGroup);
const name = { project: 'fraud', group: 'card' };
const amount: FeatureSpec = { name: 'amount', type: 'DOUBLE', description: '', constraints: { min: 0 } };
const country: FeatureSpec = { name: 'country', type: 'STRING', description: '', constraints: {} };
const definition = { ...name, entities: [{ name: 'card_id', type: 'STRING' as const }], features: [amount], ttlSeconds: 60, partitions: 4, owner: 'risk', description: 'Cards', tags: { pii: 'no' } };
const created: FeatureGroupEvent = { type: 'FeatureGroupCreated', data: { ...definition, version: 1 } };
const registered: FeatureGroupEvent = { type: 'FeatureRegistered', data: { ...name, feature: country } };
const described: FeatureGroupEvent = { type: 'FeatureGroupDescribed', data: { ...name, owner: 'risk', description: 'All cards', tags: {} } };
const ttlChanged: FeatureGroupEvent = { type: 'FeatureGroupTtlChanged', data: { ...name, ttlSeconds: 0 } };
const archived: FeatureGroupEvent = { type: 'FeatureGroupArchived', data: { ...name, reason: 'replaced' } };

describe('creating a feature group', () => {
  const create = (input = definition) => (state: typeof featureGroup.initialState) => createFeatureGroup(input, state, anyContext);
  test('makes its first version', () => given().when(create()).then(created));
  test('again as it stands changes nothing, however its tags are ordered', () =>
    given({ ...created, data: { ...created.data, tags: { a: '1', b: '2' } } }).when(create({ ...definition, tags: { b: '2', a: '1' } as never })).thenNothing());
  test('again with other features is refused', () => given(created, registered).when(create()).thenRefused('ALREADY_EXISTS', 'another definition'));
  test('under an archived name is refused', () => given(created, archived).when(create()).thenRefused('ALREADY_EXISTS', 'archived'));
});

describe('registering a feature', () => {
  const register = (feature: FeatureSpec) => (state: typeof featureGroup.initialState) => registerFeature({ ...name, feature }, state, anyContext);
  test('adds it', () => given(created).when(register(country)).then(registered));
  test('twice alike changes nothing', () => given(created, registered).when(register(country)).thenNothing());
  test('again with another type is refused, for rows of the old type are there', () =>
    given(created, registered).when(register({ ...country, type: 'INT64' })).thenRefused('ALREADY_EXISTS', 'card:country exists'));
  test('called like a key is refused', () => given(created).when(register({ ...country, name: 'card_id' })).thenRefused('INVALID_ARGUMENT', 'key of card'));
  test('beyond the most there may be is refused', () => {
    const features = Array.from({ length: mostFeatures }, (_, index) => ({ ...country, name: `f${index}` }));
    given({ ...created, data: { ...created.data, features } }).when(register(country)).thenRefused('RESOURCE_EXHAUSTED');
  });
  test('in an absent group is refused', () => given().when(register(country)).thenRefused('NOT_FOUND', 'card does not exist in project fraud'));
  test('in an archived group is refused', () => given(created, archived).when(register(country)).thenRefused('FAILED_PRECONDITION', 'archived'));
});

describe('describing a feature group', () => {
  const describeIt = (state: typeof featureGroup.initialState) => describeFeatureGroup(described.data, state, anyContext);
  test('changes its owner, description and tags', () => given(created).when(describeIt).then(described));
  test('as it is described already changes nothing', () => given(created, described).when(describeIt).thenNothing());
  test('that is absent is refused', () => given().when(describeIt).thenRefused('NOT_FOUND'));
  test('that is archived is refused', () => given(created, archived).when(describeIt).thenRefused('FAILED_PRECONDITION'));
});

describe('changing a TTL', () => {
  const change = (state: typeof featureGroup.initialState) => changeFeatureGroupTtl(ttlChanged.data, state, anyContext);
  test('changes it', () => given(created).when(change).then(ttlChanged));
  test('to what it is changes nothing', () => given(created, ttlChanged).when(change).thenNothing());
  test('of an absent group is refused', () => given().when(change).thenRefused('NOT_FOUND'));
  test('of an archived group is refused', () => given(created, archived).when(change).thenRefused('FAILED_PRECONDITION'));
});

describe('archiving a feature group', () => {
  const archive = (state: typeof featureGroup.initialState) => archiveFeatureGroup(archived.data, state, anyContext);
  test('ends it', () => given(created).when(archive).then(archived));
  test('twice changes nothing', () => given(created, archived).when(archive).thenNothing());
  test('that is absent is refused', () => given().when(archive).thenRefused('NOT_FOUND'));
});

describe('deleting an entity', () => {
  const archived: FeatureGroupEvent = { type: 'FeatureGroupArchived', data: { ...name, reason: 'Replaced' } };
  const remove = (entity: Record<string, unknown>) => (state: Parameters<typeof deleteFeatureEntity>[1]) => deleteFeatureEntity({ ...name, entity }, state, anyContext);
  const deleted = { type: 'FeatureEntityDeleted' as const, data: { ...name, version: 1, partition: partitionOf('["4711"]', 4), key: '["4711"]' } };

  test('is an event in the stream that holds the rows of the entity', () => given(created).when(remove({ card_id: '4711' })).then(deleted));
  test('hides again what was written since the first time', () => given(created).when(remove({ card_id: '4711' })).then(deleted));
  test('of an archived group is possible, because its values stay readable', () => given(created, archived).when(remove({ card_id: '4711' })).then(deleted));
  test('of a group that is not there is refused', () => given().when(remove({ card_id: '4711' })).thenRefused('NOT_FOUND'));
  test('without its key is refused', () => given(created).when(remove({})).thenRefused('INVALID_ARGUMENT', 'entity.card_id is not STRING'));
  test('by a key of another type is refused', () => given(created).when(remove({ card_id: 4711 })).thenRefused('INVALID_ARGUMENT', 'entity.card_id is not STRING'));
  test('by a name that is no key is refused, so that a misspelt one deletes nobody else', () => given(created).when(remove({ card_id: '4711', country: 'AT' })).thenRefused('INVALID_ARGUMENT', 'entity.country is not a key'));
  test('by a key that is too long to have been written is refused', () => given(created).when(remove({ card_id: 'x'.repeat(600) })).thenRefused('INVALID_ARGUMENT', 'longer than 512'));
});

describe('versions of a group', () => {
  const staged = (version: number, features: FeatureSpec[]): FeatureGroupEvent => ({ type: 'FeatureGroupVersionStaged', data: { ...name, version, features } });
  const promoted = (version: number): FeatureGroupEvent => ({ type: 'FeatureGroupVersionPromoted', data: { ...name, version } });
  const rolledBack = (version: number): FeatureGroupEvent => ({ type: 'FeatureGroupRolledBack', data: { ...name, version } });
  const archived: FeatureGroupEvent = { type: 'FeatureGroupArchived', data: { ...name, reason: 'Replaced' } };
  type State = Parameters<typeof stageFeatureGroupVersion>[1];
  const stage = (...features: FeatureSpec[]) => (state: State) => stageFeatureGroupVersion({ ...name, features }, state, anyContext);
  const promote = (version: number) => (state: State) => promoteFeatureGroupVersion({ ...name, version }, state, anyContext);
  const rollBack = (state: State) => rollBackFeatureGroup(name, state, anyContext);
  const fold = (...events: FeatureGroupEvent[]) => events.reduce(featureGroup.evolve, featureGroup.initialState);

  test('are counted on by staging other features', () => given(created, staged(2, [country])).when(stage(amount, country)).then(staged(3, [amount, country])));
  test('are not made by what the newest one is already', () => {
    given(created).when(stage(amount)).thenNothing();
    given(created, staged(2, [country])).when(stage(country)).thenNothing();
  });
  test('are made by another source, which stays where none is named', () => {
    const source = { kind: 'table', name: 'warehouse.payments' };
    const from = (named?: FeatureSource) => (state: State) => stageFeatureGroupVersion({ ...name, features: [amount], source: named }, state, anyContext);
    const second: FeatureGroupEvent = { type: 'FeatureGroupVersionStaged', data: { ...name, version: 2, features: [amount], source } };
    given(created).when(from(source)).then(second);
    given(created, second).when(from(source)).thenNothing();
    given(created, second).when(from()).thenNothing();
    given(created, second).when(stage(country)).then({ type: 'FeatureGroupVersionStaged', data: { ...name, version: 3, features: [country], source } });
    given(created, second).when(from({ ...source, name: 'other' })).then({ type: 'FeatureGroupVersionStaged', data: { ...name, version: 3, features: [amount], source: { ...source, name: 'other' } } });
  });
  test('are not made by descriptions, tags or a TTL, which all versions share', () => {
    const state = fold(created, staged(2, [country]), described, { type: 'FeatureGroupTtlChanged', data: { ...name, ttlSeconds: 5 } });
    expect(requireVersion({ ...name, version: 2 }, state)).toMatchObject({ version: 2, features: [country], ttlSeconds: 5, description: 'All cards' });
    expect(requireVersion(name, state)).toMatchObject({ version: 1, features: [amount], ttlSeconds: 5, description: 'All cards' });
  });
  test('are made by another transformation of a feature', () => {
    const computed = (transformation: string): FeatureSpec => ({ ...country, transformation });
    const history = [created, staged(2, [amount, computed('usage@1:share')])];
    given(...history).when(stage(amount, computed('usage@1:share'))).thenNothing();
    given(...history).when(stage(amount, computed('usage@2:share'))).then(staged(3, [amount, computed('usage@2:share')]));
  });
  test('have the keys and the number of partitions that the group was created with, whatever becomes of it', () => {
    const events: FeatureGroupEvent[] = [created, registered, described, staged(2, [country]), promoted(2), { type: 'FeatureGroupTtlChanged', data: { ...name, ttlSeconds: 5 } }, rolledBack(1)];
    events.forEach((_, at) => {
      const state = fold(...events.slice(0, at + 1));
      for (const version of at < 3 ? [1] : [1, 2]) expect(requireVersion({ ...name, version }, state)).toMatchObject({ partitions: 4, entities: definition.entities });
    });
  });
  test('become what the bare name means when they are promoted', () => {
    given(created, staged(2, [country])).when(promote(2)).then(promoted(2));
    expect(requireVersion(name, fold(created, staged(2, [country]), promoted(2)))).toMatchObject({ version: 2, features: [country] });
  });
  test('that are promoted already are promoted without a change', () => given(created).when(promote(1)).thenNothing());
  test('that are not there are not promoted', () => given(created).when(promote(2)).thenRefused('NOT_FOUND', 'no version 2'));
  test('are rolled back one by one, past what was rolled back itself', () => {
    const history = [created, staged(2, [country]), staged(3, [amount, country]), promoted(2), promoted(3)];
    given(...history).when(rollBack).then(rolledBack(2));
    given(...history, rolledBack(2)).when(rollBack).then(rolledBack(1));
    given(...history, rolledBack(2), rolledBack(1)).when(rollBack).thenRefused('FAILED_PRECONDITION', 'promoted before');
  });
  test('of an archived group stay as they are', () => {
    const history = [created, staged(2, [country]), promoted(2), archived];
    for (const decide of [stage(amount), promote(1), rollBack]) given(...history).when(decide).thenRefused('FAILED_PRECONDITION', 'archived');
  });
  test('take no feature that is called like a key', () => given(created).when(stage({ ...amount, name: 'card_id' })).thenRefused('INVALID_ARGUMENT', 'name of a key'));
  test('get a registered feature only where they are promoted', () => {
    const state = fold(created, staged(2, [amount]), registered);
    expect(requireVersion({ ...name, version: 1 }, state).features).toEqual([amount, country]);
    expect(requireVersion({ ...name, version: 2 }, state).features).toEqual([amount]);
  });
  test('are all meant by the deletion of an entity', () => {
    const key = '["4711"]';
    given(created, staged(2, [country])).when((state) => deleteFeatureEntity({ ...name, entity: { card_id: '4711' } }, state, anyContext)).then({ type: 'FeatureEntityDeleted', data: { ...name, version: 2, partition: partitionOf(key, 4), key } });
  });
});

describe('sharing a group with another project', () => {
  type State = Parameters<typeof shareFeatureGroup>[1];
  const data = { ...name, withProject: 'marketing' };
  const [shared, unshared]: FeatureGroupEvent[] = [{ type: 'FeatureGroupShared', data }, { type: 'FeatureGroupUnshared', data }];
  const share = (withProject = 'marketing') => (state: State) => shareFeatureGroup({ ...name, withProject }, state, anyContext);
  const unshare = (state: State) => unshareFeatureGroup(data, state, anyContext);

  test('takes effect once, and again after it ended', () => {
    given(created).when(share()).then(shared!);
    given(created, shared!).when(share()).thenNothing();
    given(created, shared!, unshared!).when(share()).then(shared!);
  });
  test('ends once', () => {
    given(created, shared!).when(unshare).then(unshared!);
    given(created).when(unshare).thenNothing();
    given(created, shared!, archived).when(unshare).then(unshared!);
  });
  test('is refused for a group that is absent or archived, and with its own project', () => {
    given().when(share()).thenRefused('NOT_FOUND');
    given(created, archived).when(share()).thenRefused('FAILED_PRECONDITION', 'archived');
    given(created).when(share(name.project)).thenRefused('INVALID_ARGUMENT');
    given().when(unshare).thenRefused('NOT_FOUND');
  });
});
