import { z } from 'zod';
import { defineEvent, description, resourceName, type EventOf } from '../../kit/index.js';
import { tags } from '../definition.js';

const ofService = { project: resourceName, service: resourceName };
const vector = { features: z.array(z.string()).min(1), fullNames: z.boolean() };

/** What happens to a feature service. */
export const featureServiceEvents = [
  defineEvent('FeatureServiceCreated', z.object({ ...ofService, ...vector, owner: z.string(), description, tags })),
  defineEvent('FeatureServiceChanged', z.object({ ...ofService, ...vector })),
  defineEvent('FeatureServiceDescribed', z.object({ ...ofService, owner: z.string(), description, tags })),
  defineEvent('FeatureServiceArchived', z.object({ ...ofService, reason: z.string() })),
] as const;
export type FeatureServiceEvent = EventOf<(typeof featureServiceEvents)[number]>;
