import { z } from 'zod';
import { defineEvent, description, resourceName, type EventOf } from '../kit/index.js';

export const projectEvents = [
  defineEvent('ProjectCreated', z.object({ project: resourceName, description })),
  defineEvent('ProjectDescribed', z.object({ project: resourceName, description })),
  defineEvent('ProjectArchived', z.object({ project: resourceName, reason: z.string() })),
  defineEvent('ProjectUnarchived', z.object({ project: resourceName, reason: z.string() })),
] as const;
export type ProjectEvent = EventOf<(typeof projectEvents)[number]>;
