import { z } from 'zod';
import { featureServiceEvents } from '../../../domain/features/services/events.js';
import { defineView } from '../../engine/define.js';
import type { EventInfo } from '../../kit/view.js';

/** What is known of a service: the row of the view. */
export const featureServiceRow = z.object({
  project: z.string(),
  service: z.string(),
  features: z.array(z.string()),
  fullNames: z.boolean(),
  owner: z.string(),
  description: z.string(),
  tags: z.record(z.string(), z.string()),
  archived: z.boolean(),
  createdAt: z.iso.datetime(),
  createdBy: z.string(),
  updatedAt: z.iso.datetime(),
  etag: z.string(),
});

/** One row a feature service. */
export const featureServicesView = defineView({
  name: 'feature-services',
  version: 2,
  table: 'feature_services',
  row: featureServiceRow,
  key: ['project', 'service'],
  history: true,
  events: featureServiceEvents,
  keyOf: ({ data }) => ({ project: data.project, service: data.service }),
  on: {
    FeatureServiceCreated: (_, data, info) => ({ ...data, archived: false, createdAt: info.recordedAt, createdBy: info.actor, ...touched(info) }),
    FeatureServiceChanged: (row, { features, fullNames }, info) => row && { ...row, features, fullNames, ...touched(info) },
    FeatureServiceDescribed: (row, { owner, description, tags }, info) => row && { ...row, owner, description, tags, ...touched(info) },
    FeatureServiceArchived: (row, _, info) => row && { ...row, archived: true, ...touched(info) },
  },
});

const touched = (info: EventInfo) => ({ updatedAt: info.recordedAt, etag: `${info.revision}` });
