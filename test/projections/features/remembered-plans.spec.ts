import { expect, test } from '@jest/globals';
import type { FeatureGroupDefinition } from '../../../src/domain/features/state.js';
import type { Plan } from '../../../src/projections/features/history/selection.js';
import type { OnlineRequest } from '../../../src/projections/features/online/read.js';
import { RememberedPlans } from '../../../src/projections/features/online/remembered-plans.js';

const definition = {} as FeatureGroupDefinition;
const plan = {} as Plan;
const asking = (project: string, features: readonly string[], fullNames = false): OnlineRequest => ({ project, features, fullNames, entities: 0, keys: new Map() });

test('a plan serves its own question, whatever names others are asked with', () => {
  const plans = new RememberedPlans(() => definition);
  plans.keep(asking('p', ['a', 'b']), new Map([['a', definition]]), plan);
  expect(plans.find(asking('p', ['a', 'b']))).toBe(plan);
  for (const other of [asking('p', ['a\nb']), asking('p', ['b', 'a']), asking('p', ['a']), asking('p', ['a', 'b'], true), asking('p\na', ['b']), asking('q', ['a', 'b']), asking('p', ['a', 'b', ''])]) {
    expect(plans.find(other)).toBeUndefined();
  }
});

test('a plan goes with the definitions that it was made from', () => {
  let known = definition;
  const plans = new RememberedPlans(() => known);
  plans.keep(asking('p', ['a']), new Map([['a', definition]]), plan);
  known = { ...definition };
  expect(plans.find(asking('p', ['a']))).toBeUndefined();
});
