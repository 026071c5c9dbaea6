import { defineDecider } from '../../kit/index.js';
import { featureServiceEvents } from './events.js';

/** The features that a model is given, under one name. */
export interface FeatureServiceDefinition {
  readonly project: string;
  readonly service: string;
  /** `group:feature`, or `group` for all its features, in the order of the vector. */
  readonly features: readonly string[];
  /** Names the columns `group__feature` instead of `feature`. */
  readonly fullNames: boolean;
  readonly owner: string;
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
}

export type FeatureService = { status: 'absent' } | { status: 'active' | 'archived'; definition: FeatureServiceDefinition };

const initialState: FeatureService = { status: 'absent' };

export const featureService = defineDecider({
  category: 'feature_service',
  events: featureServiceEvents,
  initialState: initialState as FeatureService,
  on: {
    FeatureServiceCreated: (_, definition): FeatureService => ({ status: 'active', definition }),
    FeatureServiceChanged: (state, { features, fullNames }) => change(state, { features, fullNames }),
    FeatureServiceDescribed: (state, { owner, description, tags }) => change(state, { owner, description, tags }),
    FeatureServiceArchived: (state): FeatureService => (state.status === 'active' ? { ...state, status: 'archived' } : state),
  },
});

function change(state: FeatureService, to: Partial<FeatureServiceDefinition>): FeatureService {
  return state.status === 'absent' ? state : { ...state, definition: { ...state.definition, ...to } };
}
