import { defineDecider } from '../../kit/index.js';
import type { TransformationInput, TypedOutput } from './definition.js';
import { transformationEvents } from './events.js';

/** One version of a transformation: it never changes. */
export interface TransformationVersion {
  readonly version: number;
  readonly inputs: readonly TransformationInput[];
  readonly outputs: readonly TypedOutput[];
}

export type Transformation = { status: 'absent' } | ExistingTransformation;

export interface ExistingTransformation {
  readonly status: 'active' | 'archived';
  readonly owner: string;
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
  /** All versions, the first at place 0; the bare name means the last. */
  readonly versions: readonly TransformationVersion[];
}

const initialState: Transformation = { status: 'absent' };

export const transformation = defineDecider({
  category: 'transformation',
  events: transformationEvents,
  initialState: initialState as Transformation,
  on: {
    TransformationRegistered: (_, { version, inputs, outputs, owner, description, tags }): Transformation => ({ status: 'active', owner, description, tags, versions: [{ version, inputs, outputs }] }),
    TransformationVersionRegistered: (state, { version, inputs, outputs }) => (state.status === 'absent' ? state : { ...state, versions: [...state.versions, { version, inputs, outputs }] }),
    TransformationDescribed: (state, { owner, description, tags }) => (state.status === 'absent' ? state : { ...state, owner, description, tags }),
    TransformationArchived: (state): Transformation => (state.status === 'active' ? { ...state, status: 'archived' } : state),
  },
});
