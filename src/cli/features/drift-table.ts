import type { FeatureDrift } from '../../domain/features/monitoring/drift.js';
import type { FeatureFigures } from '../../domain/features/monitoring/figures.js';
import { sparkline } from '../sparkline.js';
import { table } from '../table.js';

/** A drift report for people: a line a feature, why nothing was decided of some, then how the values lie in both windows. */
export function driftText(features: readonly FeatureDrift[]): string {
  const rows = features.map(({ feature, test, statistic, pValue, threshold, verdict, reference, current }) => ({
    feature, verdict: verdict.toLowerCase(), test: test.toLowerCase().replaceAll('_', '-'),
    statistic: short(statistic), p: short(pValue), threshold: short(threshold),
    'rows before': reference.rows, 'rows now': current.rows, 'nulls before': share(reference), 'nulls now': share(current),
  }));
  const undecided = features.filter(({ verdict }) => verdict === 'UNDECIDED').map(({ feature, reason }) => `${feature}: ${reason}.`);
  return [table(rows), ...(undecided.length > 0 ? [undecided.join('\n')] : []), ...features.filter(hasShape).map(shapeText)].join('\n\n');
}

/** A number as it reads well, also a tiny p value. */
export const short = (value: number | null | undefined): number | undefined => (value === null || value === undefined ? undefined : Number(value.toPrecision(4)));

const share = ({ nullRate }: FeatureFigures): string => `${Number((nullRate * 100).toFixed(2))} %`;

const hasShape = ({ reference, current }: FeatureDrift): boolean => [reference, current].some(({ counts, categories }) => counts.length + categories.length > 0);

function shapeText({ feature, reference, current }: FeatureDrift): string {
  const { edges } = reference.edges.length > 0 ? reference : current;
  const scale = edges.length > 0 ? `from ${short(edges[0])} to ${short(edges.at(-1))}` : namesOf(reference.categories.length > 0 ? reference : current);
  return [`${feature}  ${scale}`, `  before │${barsOf(reference)}│ ${middleOf(reference)}`, `  now    │${barsOf(current)}│ ${middleOf(current)}`].map((line) => line.trimEnd()).join('\n');
}

const barsOf = ({ counts, categories, otherCategories }: FeatureFigures): string => sparkline(counts.length > 0 ? counts : [...categories.map(({ count }) => count), ...(otherCategories > 0 ? [otherCategories] : [])]);

const middleOf = ({ mean, deviation }: FeatureFigures): string => (mean === null || mean === undefined ? '' : `mean ${short(mean)} ± ${short(deviation)}`);

function namesOf({ categories, otherCategories }: FeatureFigures): string {
  const names = categories.slice(0, 8).map(({ category }) => category);
  return [...names, ...(categories.length > 8 || otherCategories > 0 ? ['…'] : [])].join(', ');
}
