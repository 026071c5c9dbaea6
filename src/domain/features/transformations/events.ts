import { z } from 'zod';
import { defineEvent, description, resourceName, type EventOf } from '../../kit/index.js';
import { tags } from '../definition.js';
import { transformationInput, typedOutput } from './definition.js';

const ofTransformation = { project: resourceName, transformation: resourceName };
const version = { version: z.int().positive(), inputs: z.array(transformationInput).min(1), outputs: z.array(typedOutput).min(1) };

/** What happens to a transformation. The inputs name the features that it takes, the outputs those that it gives. */
export const transformationEvents = [
  defineEvent('TransformationRegistered', z.object({ ...ofTransformation, ...version, owner: z.string(), description, tags })),
  defineEvent('TransformationVersionRegistered', z.object({ ...ofTransformation, ...version })),
  defineEvent('TransformationDescribed', z.object({ ...ofTransformation, owner: z.string(), description, tags })),
  defineEvent('TransformationArchived', z.object({ ...ofTransformation, reason: z.string() })),
] as const;
export type TransformationEvent = EventOf<(typeof transformationEvents)[number]>;
