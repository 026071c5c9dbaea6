import { defineDecider } from '../kit/index.js';
import type { EntityKey, FeatureSource, FeatureSpec } from './definition.js';
import { featureGroupEvents } from './events.js';

/** What a feature group is, as its events have made it. */
export interface FeatureGroupDefinition {
  readonly project: string;
  readonly group: string;
  readonly version: number;
  readonly entities: readonly EntityKey[];
  /** In the order in which they were declared; values in the read model stand in it. */
  readonly features: readonly FeatureSpec[];
  /** Where its rows come from, where that was declared. */
  readonly source?: FeatureSource;
  readonly ttlSeconds: number;
  readonly partitions: number;
  readonly owner: string;
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
}

export type FeatureGroup = { status: 'absent' } | ExistingGroup;

interface ExistingGroup {
  readonly status: 'active' | 'archived';
  /** The promoted version: what the bare name means. */
  readonly definition: FeatureGroupDefinition;
  /** All versions, the first at place 0. They differ in their features and their source alone. */
  readonly versions: readonly FeatureGroupDefinition[];
  /** The versions that were promoted, the present one last; what was rolled back is not among them. */
  readonly promoted: readonly number[];
  /** The projects that may read it, too. */
  readonly sharedWith: readonly string[];
}

const initialState: FeatureGroup = { status: 'absent' };

export const featureGroup = defineDecider({
  category: 'feature_group',
  events: featureGroupEvents,
  initialState: initialState as FeatureGroup,
  on: {
    FeatureGroupCreated: (_, definition): FeatureGroup => ({ status: 'active', definition, versions: [definition], promoted: [definition.version], sharedWith: [] }),
    FeatureGroupVersionStaged: (state, { version, features, source }) => (state.status === 'absent' ? state : { ...state, versions: [...state.versions, { ...state.definition, version, features, source }] }),
    FeatureGroupVersionPromoted: (state, { version }) => (state.status === 'absent' ? state : promote(state, [...state.promoted, version])),
    FeatureGroupRolledBack: (state) => (state.status === 'absent' ? state : promote(state, state.promoted.slice(0, -1))),
    FeatureRegistered: (state, { feature }) => change(state, ({ version, features }, promoted) => (version === promoted ? { features: [...features, feature] } : {})),
    FeatureGroupDescribed: (state, { owner, description, tags }) => change(state, () => ({ owner, description, tags })),
    FeatureGroupTtlChanged: (state, { ttlSeconds }) => change(state, () => ({ ttlSeconds })),
    FeatureGroupShared: (state, { withProject }) => (state.status === 'absent' ? state : { ...state, sharedWith: [...state.sharedWith, withProject] }),
    FeatureGroupUnshared: (state, { withProject }) => (state.status === 'absent' ? state : { ...state, sharedWith: state.sharedWith.filter((project) => project !== withProject) }),
    FeatureGroupArchived: (state): FeatureGroup => (state.status === 'active' ? { ...state, status: 'archived' } : state),
  },
});

function change(state: FeatureGroup, to: (definition: FeatureGroupDefinition, promoted: number) => Partial<FeatureGroupDefinition>): FeatureGroup {
  if (state.status === 'absent') return state;
  const versions = state.versions.map((definition) => ({ ...definition, ...to(definition, state.definition.version) }));
  return promote({ ...state, versions }, state.promoted);
}

const promote = (state: ExistingGroup, promoted: readonly number[]): FeatureGroup => ({ ...state, promoted, definition: state.versions[promoted.at(-1)! - 1]! });
