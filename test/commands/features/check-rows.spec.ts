import { describe, expect, test } from '@jest/globals';
import { checkRows } from '../../../src/commands/features/check-rows.js';
import { writable } from '../../../src/commands/features/group.js';
import type { IncomingRows } from '../../../src/commands/features/incoming.js';
import { rowsFromMaps } from '../../../src/commands/features/row-wise.js';
import type { FeatureConstraints, FeatureSpec } from '../../../src/domain/features/definition.js';
import type { EntityType, FeatureType } from '../../../src/domain/features/values.js';
import { valueAt } from '../../../src/domain/features/chunk.js';

const groupOf = (features: readonly FeatureSpec[], entities: readonly { name: string; type: EntityType }[] = [{ name: 'id', type: 'STRING' }]) =>
  writable({ project: 'p', group: 'g', version: 1, entities, features, ttlSeconds: 0, partitions: 4, owner: '', description: '', tags: {} });
const feature = (type: FeatureType, constraints: FeatureConstraints = {}): FeatureSpec => ({ name: 'x', type, description: '', constraints });
const row = (values: object, entity: object = { id: 'a' }, timeUs = 1e15) => ({ keys: new Map(Object.entries(entity)), timeUs, values: new Map(Object.entries(values)) });

/** What becomes of one value of a feature: how it is stored, or what is said of it. */
function outcome(spec: FeatureSpec, value: unknown): unknown {
  const { block, faults } = checkRows(rowsFromMaps([row({ x: value })]), groupOf([spec]));
  return faults.length > 0 ? faults[0]!.description : valueAt(block.columns.get('x'), 0);
}

test('a value that may stand once in a request is refused from its second row on; rows without one are not counted', () => {
  const { faults } = checkRows(rowsFromMaps(['a', 'b', 'a', null, 'a', null].map((x) => row({ x }))), groupOf([feature('STRING', { unique: true })]));
  expect(faults.map(({ row: at, field }) => [at, field])).toEqual([[2, 'values.x'], [4, 'values.x']]);
  expect(faults[0]!.description).toBe('is that of rows[0] too, but no two rows of a request may have the same');
});

describe('a value', () => {
  test.each<[FeatureType, unknown, unknown]>([
    ['INT64', 5, 5],
    ['INT64', '5', 5],
    ['INT64', '9223372036854775807', '9223372036854775807'],
    ['DOUBLE', -0, 0],
    ['DOUBLE', 1e308, 1e308],
    ['STRING', '\u0000"\u{1F600}', '\u0000"\u{1F600}'],
    ['BOOL', false, false],
    ['TIMESTAMP', '2001-09-09T01:46:40Z', 1e15],
    ['TIMESTAMP', 1e15, 1e15],
    ['DOUBLE_LIST', [1, -0, 2.5], [1, 0, 2.5]],
    ['DOUBLE_LIST', [], []],
    ['DOUBLE', null, null],
    ['DOUBLE', undefined, null],
  ])('of type %s given as %j is stored as %j', (type, given, stored) => expect(outcome(feature(type), given)).toEqual(stored));

  test.each<[FeatureType, unknown, RegExp]>([
    ['INT64', 1.5, /whole number/],
    ['INT64', 2 ** 53, /string of its digits/],
    ['INT64', '9223372036854775808', /64 bits/],
    ['DOUBLE', NaN, /NaN and infinities/],
    ['DOUBLE', Infinity, /NaN and infinities/],
    ['DOUBLE', '1', /finite number/],
    ['STRING', 5, /string/],
    ['STRING', '\ud800', /whole characters/],
    ['STRING', 'x'.repeat(65_537), /at most 65536/],
    ['BOOL', 1, /true or false/],
    ['TIMESTAMP', 'yesterday', /a time such as/],
    ['TIMESTAMP', 1.5, /a time such as/],
    ['DOUBLE_LIST', [1, NaN], /finite numbers/],
    ['DOUBLE_LIST', 'no', /list/],
    ['DOUBLE_LIST', [[1]], /list/],
  ])('of type %s given as %j is refused', (type, given, sentence) => expect(outcome(feature(type), given)).toMatch(sentence));

  test.each<[FeatureType, FeatureConstraints, unknown, unknown]>([
    ['DOUBLE', { min: 0 }, 0, /less than 0/],
    ['DOUBLE', { min: 1 }, 0.9, 'is less than 1'],
    ['INT64', { max: 10 }, 11, 'is greater than 10'],
    ['INT64', { max: 2 ** 53 }, '9007199254740993', 'is greater than 9007199254740992'],
    ['INT64', { min: -(2 ** 53) }, '-9007199254740993', 'is less than -9007199254740992'],
    ['DOUBLE_LIST', { min: 0 }, [1, -1], 'is less than 0'],
    ['DOUBLE_LIST', { dimensions: 2 }, [1], 'takes 2 numbers'],
    ['STRING', { maxLength: 2 }, 'abc', 'is longer than 2 characters'],
    ['STRING', { maxLength: 2 }, '\u{1F600}\u{1F600}', '\u{1F600}\u{1F600}'],
    ['STRING', { maxLength: 2 }, '\u{1F600}\u{1F600}\u{1F600}', 'is longer than 2 characters'],
    ['STRING', { oneOf: ['a', 'b'] }, 'c', 'is none of a, b'],
    ['INT64', { oneOf: ['1', '2'] }, 3, 'is none of 1, 2'],
    ['STRING', { pattern: '[A-Z]{3}' }, 'JFKX', 'does not match [A-Z]{3}'],
    ['STRING', { required: true }, null, 'is required'],
    ['STRING', { required: true }, undefined, 'is required'],
  ])('of type %s under %j given as %j', (type, constraints, given, expected) => {
    const found = outcome(feature(type, constraints), given);
    if (expected instanceof RegExp) expect(found).toBe(given);
    else expect(found).toBe(expected);
  });

  test('meets a pattern in time that grows with its length only, however the pattern is meant', () => {
    expect(outcome(feature('STRING', { pattern: '(a+)+b' }), 'a'.repeat(5000))).toMatch('does not match');
  });
});

describe('rows', () => {
  test('are told every fault, by row and field', () => {
    const rows = rowsFromMaps([row({ x: 1 }), row({ x: 'no', y: 1 }, { id: 5 }, NaN), row({}, {})]);
    const { faults } = checkRows(rows, groupOf([feature('DOUBLE', { required: true })]));
    expect(faults.map(({ row: at, field }) => `${at} ${field}`).sort()).toEqual(['1 entity.id', '1 eventTime', '1 values.x', '1 values.y', '2 entity.id', '2 values.x']);
  });

  test('of event times that a chunk cannot hold are refused', () => {
    const { faults } = checkRows(rowsFromMaps([row({}, { id: 'a' }, Date.UTC(1899, 11, 31) * 1000), row({}, { id: 'a' }, Date.UTC(2185, 0) * 1000)]), groupOf([]));
    expect(faults).toMatchObject([{ row: 0, field: 'eventTime' }, { row: 1, field: 'eventTime' }]);
  });

  test('with keys that are too long are refused', () => {
    const { faults } = checkRows(rowsFromMaps([row({}, { id: 'x'.repeat(600) })]), groupOf([]));
    expect(faults).toMatchObject([{ row: 0, field: 'entity', description: 'is longer than 512 characters' }]);
  });

  test('share the keys that they have in common', () => {
    const entities = [{ name: 'id', type: 'INT64' as const }, { name: 'name', type: 'STRING' as const }];
    const { block } = checkRows(rowsFromMaps([row({}, { id: 1, name: '23' }), row({}, { id: 12, name: '3' }), row({}, { id: '1', name: '23' })]), groupOf([], entities));
    expect(block.keys).toEqual(['[1,"23"]', '[12,"3"]']);
    expect([...block.key]).toEqual([0, 1, 0]);
  });

  test('given as repeated strings are checked as if they were spelt out', () => {
    const spelt: IncomingRows = { rows: 3, keys: new Map([['id', ['a', 'b', 'a']]]), timeUs: [1e15, 1e15, 1e15], features: new Map([['x', ['u', null, 'toolong']]]) };
    const repeated: IncomingRows = { ...spelt, keys: new Map([['id', { of: ['a', 'b'], at: [0, 1, 0] }]]), features: new Map([['x', { of: ['u', 'toolong'], at: [0, null, 1] }]]) };
    const group = groupOf([feature('STRING', { maxLength: 3 })]);
    expect(checkRows(repeated, group)).toEqual(checkRows(spelt, group));
    const doubled: IncomingRows = { ...spelt, keys: new Map([['id', { of: ['a', 'b', 'a'], at: [0, 1, 2] }]]) };
    expect(checkRows(doubled, group).block.keys).toEqual(['["a"]', '["b"]']);
  });
});
