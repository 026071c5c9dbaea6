import { jsonSchemaOf } from '../../fields.js';
import { saveInput } from '../../features/training-set-json.js';
import { callerHeaders, inPath } from '../openapi-parts.js';
import { tables } from './history-openapi.js';

const problem = { default: { $ref: '#/components/responses/Problem' } };
const text = { type: 'string' };

const saved = {
  description: 'What was saved',
  content: {
    'application/json': {
      schema: {
        type: 'object',
        properties: { commandId: text, position: text, etag: text, changed: { type: 'boolean' }, rows: { type: 'integer' }, hash: { ...text, description: 'SHA-256 of the columns and rows.' }, knownAt: { ...text, description: 'The position at which it was answered.' } },
      },
    },
  },
};

const schema = jsonSchemaOf(saveInput.omit({ project: true }), 'input');

/** The addresses of TrainingSetController. */
export const trainingSetPaths = {
  '/api/v1/projects/{project}/training-sets': {
    post: {
      operationId: 'saveTrainingSet', summary: 'Answer a question for a training set and save it with the hash of its rows', tags: ['training-sets'],
      parameters: [inPath('project'), callerHeaders.command[0]],
      requestBody: { required: true, content: { 'application/json': { schema }, 'application/x-ndjson': { schema: { type: 'object' } }, 'text/csv': { schema: text } } },
      responses: { 200: saved, ...problem },
    },
  },
  '/api/v1/projects/{project}/training-sets/{trainingSet}/rows': {
    get: {
      operationId: 'downloadTrainingSet', summary: 'The rows of a saved training set as they were', tags: ['training-sets'],
      parameters: [inPath('project'), inPath('trainingSet')],
      responses: { 200: { ...tables, headers: { ...tables.headers, 'Tarl-Deleted-Since': { description: 'Whether an entity of its groups was deleted since, so that rows may lack values.', schema: text } } }, ...problem },
    },
  },
};
