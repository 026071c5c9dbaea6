import { z } from 'zod';
import { transformationInput, typedOutput } from '../../../domain/features/transformations/definition.js';
import { transformationEvents } from '../../../domain/features/transformations/events.js';
import { defineView } from '../../engine/define.js';
import type { EventInfo } from '../../kit/view.js';

/** One version of a transformation. */
const transformationVersion = z.object({ version: z.int(), inputs: z.array(transformationInput), outputs: z.array(typedOutput), registeredAt: z.iso.datetime() }).meta({ id: 'TransformationVersion' });

/** What is known of a transformation: the row of the view, and the answer on every wire. */
export const transformationRow = z
  .object({
    project: z.string(),
    transformation: z.string(),
    /** The newest version, whose inputs and outputs these are. */
    version: z.int(),
    inputs: z.array(transformationInput),
    outputs: z.array(typedOutput),
    versions: z.array(transformationVersion),
    owner: z.string(),
    description: z.string(),
    tags: z.record(z.string(), z.string()),
    archived: z.boolean(),
    createdAt: z.iso.datetime(),
    createdBy: z.string(),
    updatedAt: z.iso.datetime(),
    etag: z.string(),
  })
  .meta({ id: 'Transformation' });

/** One row a transformation. */
export const transformationsView = defineView({
  name: 'transformations',
  version: 2,
  table: 'transformations',
  row: transformationRow,
  key: ['project', 'transformation'],
  history: true,
  events: transformationEvents,
  keyOf: ({ data }) => ({ project: data.project, transformation: data.transformation }),
  on: {
    TransformationRegistered: (_, data, info) => ({ ...data, versions: [versionOf(data, info)], archived: false, createdAt: info.recordedAt, createdBy: info.actor, ...touched(info) }),
    TransformationVersionRegistered: (row, data, info) => row && { ...row, version: data.version, inputs: data.inputs, outputs: data.outputs, versions: [...row.versions, versionOf(data, info)], ...touched(info) },
    TransformationDescribed: (row, { owner, description, tags }, info) => row && { ...row, owner, description, tags, ...touched(info) },
    TransformationArchived: (row, _, info) => row && { ...row, archived: true, ...touched(info) },
  },
});

const versionOf = ({ version, inputs, outputs }: Omit<z.output<typeof transformationVersion>, 'registeredAt'>, info: EventInfo) => ({ version, inputs, outputs, registeredAt: info.recordedAt });

const touched = (info: EventInfo) => ({ updatedAt: info.recordedAt, etag: `${info.revision}` });
