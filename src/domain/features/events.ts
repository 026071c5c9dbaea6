import { z } from 'zod';
import { defineEvent, description, resourceName, type EventOf } from '../kit/index.js';
import { entityKeys, featureSource, featureSpec, partitions, tags, ttlSeconds } from './definition.js';

const version = z.int().positive();
const ofGroup = { project: resourceName, group: resourceName };

/** Another project may read the group, online, as of any moment and in training sets; and no longer. */
export const featureGroupShared = defineEvent('FeatureGroupShared', z.object({ ...ofGroup, withProject: resourceName }));
export const featureGroupUnshared = defineEvent('FeatureGroupUnshared', z.object({ ...ofGroup, withProject: resourceName }));

/** What happens to the definition of a feature group; its rows are FeatureRowsWritten, in streams of their own. */
export const featureGroupEvents = [
  defineEvent(
    'FeatureGroupCreated',
    z.object({
      ...ofGroup,
      version,
      entities: entityKeys,
      features: z.array(featureSpec),
      source: featureSource.optional(),
      ttlSeconds,
      partitions,
      owner: z.string(),
      description,
      tags,
    }),
  ),
  defineEvent('FeatureGroupVersionStaged', z.object({ ...ofGroup, version, features: z.array(featureSpec), source: featureSource.optional() })),
  defineEvent('FeatureGroupVersionPromoted', z.object({ ...ofGroup, version })),
  defineEvent('FeatureGroupRolledBack', z.object({ ...ofGroup, version })),
  defineEvent('FeatureRegistered', z.object({ ...ofGroup, feature: featureSpec })),
  defineEvent('FeatureGroupDescribed', z.object({ ...ofGroup, owner: z.string(), description, tags })),
  defineEvent('FeatureGroupTtlChanged', z.object({ ...ofGroup, ttlSeconds })),
  featureGroupShared,
  featureGroupUnshared,
  defineEvent('FeatureGroupArchived', z.object({ ...ofGroup, reason: z.string() })),
] as const;
export type FeatureGroupEvent = EventOf<(typeof featureGroupEvents)[number]>;
