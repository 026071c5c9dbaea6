import { aggregate, windowAt, type EntityRows } from '../../../domain/features/transformations/windows.js';
import type { FeatureValue } from '../../../domain/features/values.js';
import type { StatusCode } from '../online/status.js';
import type { PlannedWindow } from '../transformations/plan.js';

/** A window's value at a moment, and what can be said of it. Without rows in it the count is 0, and anything else NOT_FOUND; `rows` is undefined where no entity is meant. */
export function windowValue({ spec, feature }: PlannedWindow, rows: EntityRows | undefined, atUs: number): { value: FeatureValue | null; status: StatusCode } {
  if (rows === undefined) return { value: null, status: 3 };
  const { from, to } = windowAt(rows, atUs, spec.durationUs);
  if (from === to) return spec.aggregate === 'COUNT' ? { value: 0, status: 1 } : { value: null, status: 3 };
  const value = aggregate(spec, feature === undefined ? undefined : rows.column(feature), from, to);
  return { value, status: value === null ? 2 : 1 };
}
