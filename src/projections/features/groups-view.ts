import { z } from 'zod';
import { entityKey, featureSpec } from '../../domain/features/definition.js';
import { featureGroupEvents } from '../../domain/features/events.js';
import { defineView } from '../engine/define.js';
import type { EventInfo } from '../kit/view.js';

/** What is known of a group: the row of the view, and the answer on every wire. */
export const featureGroupRow = z
  .object({
    project: z.string(),
    group: z.string(),
    version: z.int(),
    entities: z.array(entityKey),
    features: z.array(featureSpec),
    ttlSeconds: z.int(),
    partitions: z.int(),
    owner: z.string(),
    description: z.string(),
    tags: z.record(z.string(), z.string()),
    archived: z.boolean(),
    createdAt: z.iso.datetime(),
    createdBy: z.string(),
    updatedAt: z.iso.datetime(),
    etag: z.string(),
  })
  .meta({ id: 'FeatureGroup' });

/** One row a feature group. */
export const featureGroupsView = defineView({
  name: 'feature-groups',
  version: 1,
  table: 'feature_groups',
  row: featureGroupRow,
  key: ['project', 'group'],
  events: featureGroupEvents,
  keyOf: ({ data }) => ({ project: data.project, group: data.group }),
  on: {
    FeatureGroupCreated: (_, data, info) => ({ ...data, archived: false, createdAt: info.recordedAt, createdBy: info.actor, ...touched(info) }),
    FeatureRegistered: (row, { feature }, info) => row && { ...row, features: [...row.features, feature], ...touched(info) },
    FeatureGroupDescribed: (row, { owner, description, tags }, info) => row && { ...row, owner, description, tags, ...touched(info) },
    FeatureGroupTtlChanged: (row, { ttlSeconds }, info) => row && { ...row, ttlSeconds, ...touched(info) },
    FeatureGroupArchived: (row, _, info) => row && { ...row, archived: true, ...touched(info) },
  },
});

const touched = (info: EventInfo) => ({ updatedAt: info.recordedAt, etag: `${info.revision}` });
