import { expect, test } from '@jest/globals';
import { driftText } from '../../src/cli/features/drift-table.js';
import { columnOf } from '../../src/domain/features/monitoring/columns.js';
import { driftOf } from '../../src/domain/features/monitoring/drift.js';
import { standardTests } from '../../src/domain/features/monitoring/tests.js';
import type { FeatureType, FeatureValue } from '../../src/domain/features/values.js';

const drift = (feature: string, type: FeatureType, before: FeatureValue[], now: FeatureValue[]) =>
  driftOf({ feature, type }, { column: columnOf(type, before), rows: before.length }, { column: columnOf(type, now), rows: now.length }, standardTests);

test('a report says by name what was not tested, and why, so that nobody takes it for stable', () => {
  const text = driftText([drift('delay', 'DOUBLE', [1, 2, 3], [1, 2, 3]), drift('embedding', 'DOUBLE_LIST', [[1, 2]], [[9, 9]]), drift('carrier', 'STRING', ['a'], [])]);
  expect(text).toContain('\n\nembedding: Not tested: lists of numbers are counted, not compared.\ncarrier: The current window has no values.\n\n');
  expect(text).not.toContain('delay: ');
  expect(text).toMatch(/embedding +undecided +none/);
});
