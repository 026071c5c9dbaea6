import { jsonSchemaOf } from '../../fields.js';
import { asOfInput, historicalInput, offlineInput } from '../../features/history-json.js';
import { inPath } from '../openapi-parts.js';

const project = inPath('project');
const problem = { default: { $ref: '#/components/responses/Problem' } };
const row = { type: 'object', description: 'The columns of the request, and the features.' };
const lines = { type: 'string', description: 'One row a line.' };

const binary = { type: 'string', format: 'binary' };
const columnar = { 'application/vnd.apache.arrow.stream': { schema: binary }, 'application/vnd.apache.parquet': { schema: binary } };

/** Rows in the format that Accept names. */
export const tableContent = {
  'application/x-ndjson': { schema: row },
  'text/csv': { schema: lines },
  'application/json': { schema: { type: 'object', properties: { rows: { type: 'array', items: row } } } },
  ...columnar,
};

export const tables = {
  description: 'One row after another, in the format that Accept names',
  headers: { 'Tarl-Position': { description: 'Asked again with this as knownAt.position, the rows are the same.', schema: { type: 'string' } } },
  content: tableContent,
};

const asOfRows = {
  description: 'The values, entity by entity, in the order of the request',
  content: { 'application/json': { schema: { type: 'object', properties: { rows: { type: 'array', items: { type: 'object' } }, knownAt: { type: 'object' } } } } },
};

const post = (operationId: string, summary: string, content: object, ok: object) => ({
  post: { operationId, summary, tags: ['features'], parameters: [project], requestBody: { required: true, content }, responses: { 200: ok, ...problem } },
});

/** The addresses of FeatureHistoryController. */
export const featureHistoryPaths = {
  '/api/v1/projects/{project}/features:readAsOf': post(
    'readAsOf',
    'The values of a few entities at a past moment, read from the log',
    { 'application/json': { schema: jsonSchemaOf(asOfInput.omit({ project: true }), 'input') } },
    asOfRows,
  ),
  '/api/v1/projects/{project}/features:readOffline': post(
    'readOffline',
    'The history of chosen entities: a row for every event time in a range',
    { 'application/json': { schema: jsonSchemaOf(offlineInput.omit({ project: true }), 'input') } },
    tables,
  ),
  '/api/v1/projects/{project}/features:historical': post(
    'getHistoricalFeatures',
    'A training set: the rows of the request, each with the features as they were known at its time',
    { 'application/json': { schema: jsonSchemaOf(historicalInput.omit({ project: true }), 'input') }, 'application/x-ndjson': { schema: row }, 'text/csv': { schema: lines }, ...columnar, 'application/vnd.apache.arrow.file': { schema: binary } },
    tables,
  ),
};
