import type { Domain } from '../../catalogue.js';
import { handwritten, type Handwritten } from '../handwritten.js';

/** The hand-written parts of the schema that go with the domains served. */
export const graphqlAdditions = (catalogue: readonly Domain[]): readonly NonNullable<Handwritten['graphql']>[] =>
  handwritten.flatMap(({ domain, graphql }) => (graphql && catalogue.some(({ name }) => name === domain) ? [graphql] : []));
