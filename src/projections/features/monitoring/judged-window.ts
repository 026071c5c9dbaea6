import type { FeatureSpec } from '../../../domain/features/definition.js';
import type { JudgedRows } from '../../../domain/features/monitoring/expectations.js';
import type { RowSample } from '../../../domain/features/monitoring/row-sample.js';
import type { Window } from '../../../domain/features/monitoring/window.js';

/** A sampled window as expectations look at it. */
export function judgedWindow({ features, sample }: { features: readonly FeatureSpec[]; sample: RowSample }, { endUs }: Window): JudgedRows {
  const rows = sample.chosen();
  return {
    rows: sample.rows,
    window: { endUs, latestUs: sample.latestUs },
    valuesOf: (feature) => {
      const at = features.findIndex(({ name }) => name === feature);
      return at < 0 ? undefined : rows.map((values) => values[at]);
    },
  };
}
