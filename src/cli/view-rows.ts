import type { ViewStatus } from '../api/core.js';
import { whole } from './progress.js';

/** Views as the rows of a table. */
export const viewRows = (views: readonly ViewStatus[]): Record<string, unknown>[] =>
  views.map(({ name, version, state, position, lagPositions, lagMs, parkedKeys, eventsPerSecond, differingRows, comparedAt, slices, error }) => ({
    view: name, version, state, position,
    lag: whole.format(BigInt(lagPositions)),
    age: `${(lagMs / 1000).toFixed(1)} s`,
    'events/s': Number(eventsPerSecond.toFixed(1)),
    parked: parkedKeys || undefined,
    differing: differingRows,
    compared: comparedAt,
    slices: slices.length > 1 ? slices.length : undefined,
    by: ownersOf(slices),
    error,
  }));

/** The processes that project a view, each once; with `-` where nobody projects a slice. */
const ownersOf = (slices: ViewStatus['slices']): string => [...new Set(slices.map(({ owner }) => owner ?? '-'))].sort().join(', ');
