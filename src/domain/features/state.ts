import { defineDecider } from '../kit/index.js';
import type { EntityKey, FeatureSpec } from './definition.js';
import { featureGroupEvents } from './events.js';

/** What a feature group is, as its events have made it. */
export interface FeatureGroupDefinition {
  readonly project: string;
  readonly group: string;
  readonly version: number;
  readonly entities: readonly EntityKey[];
  /** In the order in which they were declared; values in the read model stand in it. */
  readonly features: readonly FeatureSpec[];
  readonly ttlSeconds: number;
  readonly partitions: number;
  readonly owner: string;
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
}

export type FeatureGroup = { status: 'absent' } | { status: 'active' | 'archived'; definition: FeatureGroupDefinition };

const initialState: FeatureGroup = { status: 'absent' };

export const featureGroup = defineDecider({
  category: 'feature_group',
  events: featureGroupEvents,
  initialState: initialState as FeatureGroup,
  on: {
    FeatureGroupCreated: (_, definition): FeatureGroup => ({ status: 'active', definition }),
    FeatureRegistered: (state, { feature }) => change(state, ({ features }) => ({ features: [...features, feature] })),
    FeatureGroupDescribed: (state, { owner, description, tags }) => change(state, () => ({ owner, description, tags })),
    FeatureGroupTtlChanged: (state, { ttlSeconds }) => change(state, () => ({ ttlSeconds })),
    FeatureGroupArchived: (state): FeatureGroup => (state.status === 'active' ? { ...state, status: 'archived' } : state),
  },
});

function change(state: FeatureGroup, to: (definition: FeatureGroupDefinition) => Partial<FeatureGroupDefinition>): FeatureGroup {
  return state.status === 'absent' ? state : { ...state, definition: { ...state.definition, ...to(state.definition) } };
}
