import { z } from 'zod';
import { defineEvent, description, resourceName, type EventOf } from '../../kit/index.js';
import { tags } from '../definition.js';
import { featureTypes } from '../values.js';

const ofTrainingSet = { project: resourceName, trainingSet: resourceName };
const labels = { owner: z.string(), description, tags };
const count = z.int().nonnegative();
/** A SHA-256 in hexadecimal digits. */
const contentHash = z.string().regex(/^[0-9a-f]{64}$/);
const position = z.string();

/** What was asked, with everything that the log decided then put in its place: asked again, it is the same question. */
export const savedQuestion = z.object({
  /** Those of the service, where one was named. */
  features: z.array(z.string()).min(1),
  service: resourceName.optional(),
  fullNames: z.boolean(),
  aliases: z.array(z.object({ alias: z.string(), group: z.string(), keyColumns: z.record(z.string(), z.string()) })),
  knownAt: z.object({ position, timeUs: z.int().optional(), rowTime: z.boolean().optional() }),
  /** The rows that the caller brought; they are kept beside the log under this hash. */
  entityRows: z.object({ hash: contentHash, rows: count, timeColumn: z.string() }).optional(),
  /** The range of event times, where the caller brought no rows. */
  range: z.object({ startUs: z.int(), endUs: z.int() }).optional(),
});
export type SavedQuestion = z.output<typeof savedQuestion>;

/** A column of the answer; `of` is the feature it holds, `project/group@version:feature`, or an output of a transformation written likewise. */
export const savedColumn = z.object({ name: z.string(), type: z.enum(featureTypes).optional(), of: z.string().optional() });

/** What came of the question. */
export const savedAnswer = z.object({
  rows: count,
  columns: z.array(savedColumn),
  /** The groups that were read, `project/group@version`. */
  groups: z.array(z.string()),
  /** Of the rows, as docs/decisions/training-sets.md has it. */
  hash: contentHash,
  /** Deletions of entities up to here were looked at. */
  deletionsUpTo: position,
  /** Rows without values that a deletion had hidden already. */
  hiddenRows: count,
  /** Whether the rows themselves are kept beside the log. */
  stored: z.boolean(),
});

/** What happens to a saved training set. */
export const trainingSetEvents = [
  // `asked` is a hash of the question as the caller put it, so that a repeat is recognised.
  defineEvent('TrainingSetSaved', z.object({ ...ofTrainingSet, ...labels, asked: contentHash, question: savedQuestion, answer: savedAnswer })),
  defineEvent('TrainingSetDescribed', z.object({ ...ofTrainingSet, ...labels })),
] as const;
export type TrainingSetEvent = EventOf<(typeof trainingSetEvents)[number]>;
