import { z } from 'zod';
import { projectEvents } from '../../domain/projects/events.js';
import { defineView } from '../engine/define.js';

/** One row a project. */
export const projectsView = defineView({
  name: 'projects',
  version: 2,
  table: 'projects',
  row: z.object({
    project: z.string(),
    description: z.string(),
    archived: z.boolean(),
    createdAt: z.iso.datetime(),
    createdBy: z.string(),
    updatedAt: z.iso.datetime(),
    etag: z.string(),
  }),
  key: ['project'],
  history: true,
  events: projectEvents,
  keyOf: ({ data }) => ({ project: data.project }),
  on: {
    ProjectCreated: (_, data, info) => ({
      ...data,
      archived: false,
      createdAt: info.recordedAt,
      createdBy: info.actor,
      updatedAt: info.recordedAt,
      etag: `${info.revision}`,
    }),
    ProjectDescribed: (row, { description }, info) => row && { ...row, description, updatedAt: info.recordedAt, etag: `${info.revision}` },
    ProjectArchived: (row, _, info) => row && { ...row, archived: true, updatedAt: info.recordedAt, etag: `${info.revision}` },
    ProjectUnarchived: (row, _, info) => row && { ...row, archived: false, updatedAt: info.recordedAt, etag: `${info.revision}` },
  },
});
