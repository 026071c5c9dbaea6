import { z } from 'zod';
import { Refusal, resourceName } from '../../../domain/kit/index.js';
import { asOfInput } from '../../kit/as-of.js';
import { listInput, listPage, rowNamed, type Listing } from '../../kit/list/page.js';
import { defineQuery } from '../../kit/query.js';
import { loadTrainingSet } from './load.js';
import { verdicts, verify } from './verify.js';
import { trainingSetRow } from './view.js';

const columns = `project, training_set as "trainingSet", owner, description, tags, features, service, full_names as "fullNames", aliases, known_at as "knownAt",
  entity_rows as "entityRows", "range", "rows"::float8, "columns", hash, hidden_rows::float8 as "hiddenRows", stored,
  created_at as "createdAt", created_by as "createdBy", updated_at as "updatedAt", etag`;

/** What the list may be filtered and sorted by. */
const listing: Listing = {
  table: 'training_sets',
  columns,
  name: 'training_set',
  fields: {
    trainingSet: { sql: 'training_set', kind: 'text' },
    service: { sql: 'service', kind: 'text' },
    hash: { sql: 'hash', kind: 'text' },
    owner: { sql: 'owner', kind: 'text' },
    description: { sql: 'description', kind: 'text' },
    tags: { sql: 'tags', kind: 'tags' },
    stored: { sql: 'stored', kind: 'boolean' },
    createdAt: { sql: 'created_at', kind: 'time' },
    updatedAt: { sql: 'updated_at', kind: 'time' },
  },
  search: `concat_ws(' ', training_set, owner, description, service, (select string_agg(key || ' ' || value, ' ') from jsonb_each_text(tags)), (select string_agg(feature, ' ') from jsonb_array_elements_text(features) as feature))`,
  order: {
    trainingSet: { sql: 'training_set', type: 'text' },
    owner: { sql: 'owner', type: 'text' },
    createdAt: { sql: 'created_at', type: 'timestamptz' },
    updatedAt: { sql: 'updated_at', type: 'timestamptz' },
  },
};

const name = { project: resourceName, trainingSet: resourceName };

const cells = z.record(z.string(), z.unknown());
const verification = z
  .object({
    verdict: z.enum(verdicts).meta({ id: 'Verdict' }),
    said: z.string().describe('The verdict in a sentence.'),
    hash: z.string(),
    savedHash: z.string(),
    rows: z.int(),
    savedRows: z.int(),
    hiddenRows: z.int().describe('Rows whose values deletions hide now.'),
    savedHiddenRows: z.int(),
    firstDifference: z
      .object({ row: z.int().describe('Counted from zero.'), columns: z.array(z.string()), saved: cells.optional(), now: cells.optional() })
      .meta({ id: 'TrainingSetDifference' })
      .optional()
      .describe('Known where the rows were stored; without values where a deletion hides them.'),
  })
  .meta({ id: 'TrainingSetVerification' });

export const trainingSetQueries = [
  defineQuery({
    name: 'GetTrainingSet',
    summary: 'One saved training set: its question, its position and the hash of its rows',
    http: { method: 'GET', path: '/api/v1/projects/{project}/training-sets/{trainingSet}' },
    permission: 'features.read',
    views: ['training-sets'],
    input: z.object({ ...name, ...asOfInput }),
    output: trainingSetRow,
    run: async ({ project, trainingSet, asOf }, { pool }) => {
      const row = await rowNamed(pool, listing, project, trainingSet, asOf);
      if (row) return row;
      throw new Refusal('NOT_FOUND', `Training set ${trainingSet} does not exist in project ${project}`, { reason: 'TRAINING_SET_NOT_FOUND', metadata: { trainingSet } });
    },
  }),
  defineQuery({
    name: 'ListTrainingSets',
    summary: 'The saved training sets of a project, filtered and sorted',
    http: { method: 'GET', path: '/api/v1/projects/{project}/training-sets' },
    permission: 'features.read',
    views: ['training-sets'],
    input: z.object({ project: resourceName, ...listInput(listing), ...asOfInput }),
    output: z.object({ trainingSets: z.array(trainingSetRow), nextPageToken: z.string() }).meta({ id: 'TrainingSetList' }),
    run: async ({ project, ...request }, { pool }) => {
      const { rows, nextPageToken } = await listPage(pool, listing, project, request);
      return { trainingSets: rows, nextPageToken };
    },
  }),
  defineQuery({
    name: 'VerifyTrainingSet',
    summary: 'Asks a saved training set again, of the log, and proves that its rows are the same',
    http: { method: 'GET', path: '/api/v1/projects/{project}/training-sets/{trainingSet}:verify' },
    permission: 'features.read',
    views: [],
    input: z.object(name),
    output: verification,
    run: async ({ project, trainingSet }, { eventStore, trainingSets, signal }) => verify(await loadTrainingSet(eventStore, project, trainingSet), { eventStore, contents: trainingSets, signal }),
  }),
] as const;
