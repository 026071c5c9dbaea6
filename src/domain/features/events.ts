import { z } from 'zod';
import { defineEvent, description, resourceName, type EventOf } from '../kit/index.js';
import { entityKeys, featureSpec, partitions, tags, ttlSeconds } from './definition.js';

const ofGroup = { project: resourceName, group: resourceName };

/** What happens to the definition of a feature group; its rows are FeatureRowsWritten, in streams of their own. */
export const featureGroupEvents = [
  defineEvent(
    'FeatureGroupCreated',
    z.object({
      ...ofGroup,
      version: z.int().positive(),
      entities: entityKeys,
      features: z.array(featureSpec),
      ttlSeconds,
      partitions,
      owner: z.string(),
      description,
      tags,
    }),
  ),
  defineEvent('FeatureRegistered', z.object({ ...ofGroup, feature: featureSpec })),
  defineEvent('FeatureGroupDescribed', z.object({ ...ofGroup, owner: z.string(), description, tags })),
  defineEvent('FeatureGroupTtlChanged', z.object({ ...ofGroup, ttlSeconds })),
  defineEvent('FeatureGroupArchived', z.object({ ...ofGroup, reason: z.string() })),
] as const;
export type FeatureGroupEvent = EventOf<(typeof featureGroupEvents)[number]>;
