import { z } from 'zod';
import { formatTimeUs } from '../../../domain/features/times.js';
import { featureTypes } from '../../../domain/features/values.js';
import { trainingSetEvents } from '../../../domain/features/training-sets/events.js';
import { defineView } from '../../engine/define.js';
import type { EventInfo } from '../../kit/view.js';

/** A column of a training set, and the feature that it holds. */
const trainingSetColumn = z
  .object({ name: z.string(), type: z.enum(featureTypes).meta({ id: 'FeatureType' }).optional(), of: z.string().optional().describe('The feature that it holds, project/group@version:feature.') })
  .meta({ id: 'TrainingSetColumn' });

/** What is known of a saved training set: the row of the view, and the answer on every wire. */
export const trainingSetRow = z
  .object({
    project: z.string(),
    trainingSet: z.string(),
    owner: z.string(),
    description: z.string(),
    tags: z.record(z.string(), z.string()),
    features: z.array(z.string()),
    /** Empty where none was named. */
    service: z.string(),
    fullNames: z.boolean(),
    aliases: z.array(z.object({ alias: z.string(), group: z.string(), keyColumns: z.record(z.string(), z.string()) }).meta({ id: 'TrainingSetAlias' })),
    knownAt: z.object({ position: z.string(), time: z.iso.datetime().optional(), rowTime: z.boolean() }).meta({ id: 'TrainingSetKnownAt' }),
    /** The rows that the caller brought. */
    entityRows: z.object({ hash: z.string(), rows: z.int(), timeColumn: z.string() }).meta({ id: 'TrainingSetEntityRows' }).nullable(),
    /** The range of event times, where the caller brought none. */
    range: z.object({ start: z.iso.datetime(), end: z.iso.datetime() }).meta({ id: 'TrainingSetRange' }).nullable(),
    rows: z.int(),
    columns: z.array(trainingSetColumn),
    hash: z.string(),
    hiddenRows: z.int(),
    stored: z.boolean(),
    createdAt: z.iso.datetime(),
    createdBy: z.string(),
    updatedAt: z.iso.datetime(),
    etag: z.string(),
  })
  .meta({ id: 'SavedTrainingSet' });

/** One row a saved training set. */
export const trainingSetsView = defineView({
  name: 'training-sets',
  version: 1,
  table: 'training_sets',
  row: trainingSetRow,
  key: ['project', 'trainingSet'],
  history: true,
  events: trainingSetEvents,
  keyOf: ({ data }) => ({ project: data.project, trainingSet: data.trainingSet }),
  on: {
    TrainingSetSaved: (_, { question: { features, service, fullNames, aliases, knownAt, entityRows, range }, answer, asked, ...labels }, info) => ({
      ...labels,
      features, service: service ?? '', fullNames, aliases,
      knownAt: { position: knownAt.position, ...(knownAt.timeUs !== undefined && { time: formatTimeUs(knownAt.timeUs) }), rowTime: knownAt.rowTime === true },
      entityRows: entityRows ?? null,
      range: range ? { start: formatTimeUs(range.startUs), end: formatTimeUs(range.endUs) } : null,
      rows: answer.rows,
      columns: answer.columns,
      hash: answer.hash, hiddenRows: answer.hiddenRows, stored: answer.stored,
      createdAt: info.recordedAt, createdBy: info.actor, ...touched(info),
    }),
    TrainingSetDescribed: (row, { owner, description, tags }, info) => row && { ...row, owner, description, tags, ...touched(info) },
  },
});

const touched = (info: EventInfo) => ({ updatedAt: info.recordedAt, etag: `${info.revision}` });
