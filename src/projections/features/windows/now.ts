import type { FeatureValue } from '../../../domain/features/values.js';
import type { Plan, PlannedJoin } from '../history/selection.js';
import type { ValuesAndStatuses } from '../transformations/compute.js';
import type { WindowValues } from '../transformations/shown.js';
import type { PlannedWindow } from '../transformations/plan.js';
import type { WindowSource } from './live.js';
import { windowValue } from './window-value.js';

interface Reading {
  /** Left out where nothing can be read; then there are no windows either. */
  readonly source?: WindowSource;
  readonly nowUs: number;
  readonly fresh: boolean;
  readonly signal?: AbortSignal;
}

/** The values of a plan's windows as they are now, for each entity asked for. */
export async function windowsNow({ joins, derived }: Plan, keysOf: (join: PlannedJoin) => readonly (string | null)[], { source, nowUs, fresh, signal }: Reading): Promise<WindowValues> {
  const ofJoins = await Promise.all(
    [...Map.groupBy(derived!.windows, ({ join }) => join)].map(async ([at, windows]) => {
      const join = joins[at]!;
      const features = [...new Set(windows.flatMap(({ feature }) => feature ?? []))];
      const rowsOf = await source!.rowsOf(join.definition, { features, durationUs: Math.max(...windows.map(({ spec }) => spec.durationUs)), fresh, signal });
      const entities = keysOf(join).map((key) => (key === null ? undefined : rowsOf(key)));
      return windows.map((window): [PlannedWindow, ValuesAndStatuses] => {
        const values = new Array<FeatureValue | null>(entities.length);
        const statuses = new Uint8Array(entities.length);
        entities.forEach((rows, entity) => {
          const { value, status } = windowValue(window, rows, nowUs);
          values[entity] = value;
          statuses[entity] = status;
        });
        return [window, { values, statuses }];
      });
    }),
  );
  return new Map(ofJoins.flat());
}
