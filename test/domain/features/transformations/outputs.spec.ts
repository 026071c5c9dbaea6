import { describe, expect, test } from '@jest/globals';
import { murmur3 } from '../../../../src/domain/features/transformations/hash.js';
import { compileTransformation, run } from '../../../../src/domain/features/transformations/program.js';
import { transformationOutput } from '../../../../src/domain/features/transformations/definition.js';
import type { FeatureType, FeatureValue } from '../../../../src/domain/features/values.js';

const input = (name: string, type: FeatureType, group = 'g') => ({ name, feature: `${group}:${name}`, type });
const inputs = [input('i', 'INT64'), input('d', 'DOUBLE'), input('s', 'STRING'), input('b', 'BOOL')];

function outputOf(made: object, row: Record<string, FeatureValue | null>): { type: FeatureType; value: FeatureValue | null } {
  const { program, faults } = compileTransformation(inputs, [transformationOutput.parse({ name: 'out', ...made })]);
  expect(faults).toEqual([]);
  const [column] = run(program, 1, inputs.map(({ name }) => [row[name] ?? null]));
  return { type: program.outputs[0]!.type, value: column![0]! };
}

const faultsOf = (...outputs: object[]) => compileTransformation(inputs, outputs.map((output, at) => transformationOutput.parse({ name: `out_${at}`, ...output }))).faults;

describe('an output', () => {
  test.each<[string, object, Record<string, FeatureValue | null>, FeatureType, FeatureValue | null]>([
    ['normalize', { normalize: { input: 'd', mean: 10, std: 4 } }, { d: 18 }, 'DOUBLE', 2],
    ['normalize of a whole number', { normalize: { input: 'i', mean: 10, std: 4 } }, { i: 8 }, 'DOUBLE', -0.5],
    ['minMax', { minMax: { input: 'd', min: 10, max: 20 } }, { d: 25 }, 'DOUBLE', 1.5],
    ['clip above', { clip: { input: 'd', max: 10 } }, { d: 25 }, 'DOUBLE', 10],
    ['clip below', { clip: { input: 'd', min: 10 } }, { d: 2 }, 'DOUBLE', 10],
    ['bucketize below', { bucketize: { input: 'd', boundaries: [0, 10, 20] } }, { d: -1 }, 'INT64', 0],
    ['bucketize at a boundary', { bucketize: { input: 'd', boundaries: [0, 10, 20] } }, { d: 10 }, 'INT64', 2],
    ['bucketize above', { bucketize: { input: 'i', boundaries: [0, 10, 20] } }, { i: 99 }, 'INT64', 3],
    ['oneHot', { oneHot: { input: 's', categories: ['a', 'b'] } }, { s: 'b' }, 'DOUBLE_LIST', [0, 1]],
    ['oneHot of an unknown category', { oneHot: { input: 's', categories: ['a', 'b'] } }, { s: 'toString' }, 'DOUBLE_LIST', [0, 0]],
    ['oneHot of digits', { oneHot: { input: 'i', categories: ['1', '9223372036854775807'] } }, { i: '9223372036854775807' }, 'DOUBLE_LIST', [0, 1]],
    ['hash of a text', { hash: { input: 's', buckets: 1000, seed: 7 } }, { s: 'card' }, 'INT64', murmur3(new TextEncoder().encode('card'), 7) % 1000],
    ['hash of a truth', { hash: { input: 'b', buckets: 1 } }, { b: true }, 'INT64', 0],
  ])('%s', (_what, made, row, type, value) => {
    expect(outputOf(made, row)).toEqual({ type, value });
    expect(outputOf(made, {}).value).toBeNull();
  });

  test('hash is MurmurHash3, so that others can compute it too', () => {
    const of = (text: string, seed: number) => murmur3(new TextEncoder().encode(text), seed);
    expect([of('', 0), of('', 1), of('test', 0), of('Hello, world!', 0), of('The quick brown fox jumps over the lazy dog', 0x9747b28c)]).toEqual([0, 0x514e28b7, 0xba6bd213, 0xc0363e43, 0x2fa826cd]);
  });

  test('is made of inputs and earlier outputs, in their order', () => {
    const { program, faults } = compileTransformation(inputs, [{ name: 'twice', expression: 'd * 2' }, { name: 'bucket', bucketize: { input: 'twice', boundaries: [10] } }, { name: 'both', expression: 'bucket + i' }]);
    expect(faults).toEqual([]);
    expect(run(program, 2, [[1, 2], [4, 6], [null, null], [null, null]])).toEqual([[8, 12], [0, 1], [1, 3]]);
    expect(program.outputs.map(({ uses }) => uses)).toEqual([[1], [1], [1, 0]]);
  });

  test.each<[string, object[], string, string]>([
    ['made in no way', [{}], 'outputs[0].name', 'has nothing to make it by'],
    ['made in two ways', [{ expression: 'i', clip: { input: 'i', min: 1 } }], 'outputs[0].name', 'is made in 2 ways, expression and clip'],
    ['of an unknown input', [{ clip: { input: 'nope', min: 1 } }], 'outputs[0].clip.input', 'neither an input nor an earlier output'],
    ['of a later output', [{ expression: 'out_1' }, { expression: 'i' }], 'outputs[0].expression', 'at character 1: names out_1'],
    ['of a text where numbers are taken', [{ normalize: { input: 's', mean: 0, std: 1 } }], 'outputs[0].normalize.input', 'is STRING, not a number'],
    ['of a double where categories are taken', [{ oneHot: { input: 'd', categories: ['1'] } }], 'outputs[0].oneHot.input', 'is DOUBLE, not one of'],
    ['with bounds the wrong way round', [{ minMax: { input: 'd', min: 1, max: 1 } }], 'outputs[0].minMax.max', 'greater than min'],
    ['clipped nowhere', [{ clip: { input: 'd' } }], 'outputs[0].clip.min', 'or max is needed'],
    ['with boundaries that do not ascend', [{ bucketize: { input: 'd', boundaries: [1, 3, 3] } }], 'outputs[0].bucketize.boundaries[2]', 'greater than the one before'],
    ['with a category twice', [{ oneHot: { input: 's', categories: ['a', 'a'] } }], 'outputs[0].oneHot.categories', 'twice'],
    ['called like an input', [{ name: 'i', expression: 'd' }], 'outputs[0].name', 'is i, which another input or output is called'],
    ['a window over an output', [{ expression: 'd' }, { window: { aggregate: 'SUM', input: 'out_0', durationSeconds: 60 } }], 'outputs[1].window.input', 'is out_0, which is no input'],
    ['a sum of nothing', [{ window: { aggregate: 'SUM', durationSeconds: 60 } }], 'outputs[0].window.input', 'is needed for SUM'],
    ['a sum of texts', [{ window: { aggregate: 'SUM', input: 's', durationSeconds: 60 } }], 'outputs[0].window.input', 'is STRING, of which there is no SUM'],
  ])('%s is refused', (_what, outputs, field, sentence) => {
    expect(faultsOf(...outputs)).toEqual([{ field, description: expect.stringContaining(sentence) }]);
  });
});
