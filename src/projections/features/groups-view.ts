import { z } from 'zod';
import { entityKey, featureSource, featureSpec, type FeatureSpec } from '../../domain/features/definition.js';
import { featureGroupEvents } from '../../domain/features/events.js';
import { defineView } from '../engine/define.js';
import type { EventInfo } from '../kit/view.js';

/** One version of a group. */
const groupVersion = z.object({ version: z.int(), features: z.array(featureSpec), source: featureSource.optional(), stagedAt: z.iso.datetime() }).meta({ id: 'FeatureGroupVersion' });

/** What is known of a group: the row of the view, and the answer on every wire. */
export const featureGroupRow = z
  .object({
    project: z.string(),
    group: z.string(),
    /** The promoted version, whose features these are. */
    version: z.int(),
    entities: z.array(entityKey),
    features: z.array(featureSpec),
    versions: z.array(groupVersion),
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
  version: 4,
  table: 'feature_groups',
  row: featureGroupRow,
  key: ['project', 'group'],
  history: true,
  events: featureGroupEvents,
  keyOf: ({ data }) => ({ project: data.project, group: data.group }),
  on: {
    FeatureGroupCreated: (_, { source, ...data }, info) => ({ ...data, versions: [{ version: data.version, features: data.features, ...(source && { source }), stagedAt: info.recordedAt }], archived: false, createdAt: info.recordedAt, createdBy: info.actor, ...touched(info) }),
    FeatureGroupVersionStaged: (row, { version, features, source }, info) => row && { ...row, versions: [...row.versions, { version, features, ...(source && { source }), stagedAt: info.recordedAt }], ...touched(info) },
    FeatureGroupVersionPromoted: (row, { version }, info) => row && { ...promoted(row, version), ...touched(info) },
    FeatureGroupRolledBack: (row, { version }, info) => row && { ...promoted(row, version), ...touched(info) },
    FeatureRegistered: (row, { feature }, info) => row && { ...registered(row, feature), ...touched(info) },
    FeatureGroupDescribed: (row, { owner, description, tags }, info) => row && { ...row, owner, description, tags, ...touched(info) },
    FeatureGroupTtlChanged: (row, { ttlSeconds }, info) => row && { ...row, ttlSeconds, ...touched(info) },
    FeatureGroupArchived: (row, _, info) => row && { ...row, archived: true, ...touched(info) },
  },
});

const touched = (info: EventInfo) => ({ updatedAt: info.recordedAt, etag: `${info.revision}` });

type GroupRow = z.output<typeof featureGroupRow>;

const promoted = (row: GroupRow, version: number): GroupRow => ({ ...row, version, features: row.versions.find((one) => one.version === version)!.features });

function registered(row: GroupRow, feature: FeatureSpec): GroupRow {
  const features = [...row.features, feature];
  return { ...row, features, versions: row.versions.map((one) => (one.version === row.version ? { ...one, features } : one)) };
}
