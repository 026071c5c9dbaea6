import { featureStatuses } from '../../../projections/features/online/status.js';
import { jsonSchemaOf } from '../../fields.js';
import { readInput, rowInput, writeInput } from '../../features/json.js';
import { callerHeaders, inPath } from '../openapi-parts.js';

const problem = { default: { $ref: '#/components/responses/Problem' } };
const json = (schema: object) => ({ content: { 'application/json': { schema } } });
const text = { type: 'string' };
const count = { type: 'integer' };

/** What a write answers. */
export const writeReply = {
  type: 'object',
  properties: {
    commandId: text,
    position: { ...text, description: 'The position of the last event; empty when no row was good.' },
    rowsWritten: count,
    rowsRejected: count,
    rowsQuarantined: { ...count, description: 'How many of the rejected rows are kept for mending.' },
    faults: {
      type: 'array',
      description: 'What is wrong with the rejected rows; the first hundred faults.',
      items: { type: 'object', properties: { row: count, field: text, description: text } },
    },
  },
};

const onlineRows = {
  type: 'object',
  properties: {
    rows: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          entity: { type: 'object' },
          values: { type: 'object' },
          statuses: { type: 'object', additionalProperties: { type: 'string', enum: featureStatuses.slice(1) } },
          eventTimes: { type: 'object', additionalProperties: { type: ['string', 'null'], format: 'date-time' } },
        },
      },
    },
  },
};

/** The addresses of FeatureRowsController. */
export const featureRowsPaths = {
  '/api/v1/projects/{project}/feature-groups/{group}:write': {
    post: {
      operationId: 'writeFeatures',
      summary: 'Stores rows of a feature group',
      tags: ['features'],
      parameters: [inPath('project'), inPath('group'), ...callerHeaders.command.filter(({ name }) => name === 'Idempotency-Key')],
      requestBody: {
        required: true,
        content: {
          'application/json': { schema: jsonSchemaOf(writeInput.omit({ project: true, group: true }), 'input') },
          'application/x-ndjson': { schema: jsonSchemaOf(rowInput, 'input') },
        },
      },
      responses: { 200: { description: 'What was stored', ...json(writeReply) }, ...problem },
    },
  },
  '/api/v1/projects/{project}/features:readOnline': {
    post: {
      operationId: 'readOnline',
      summary: 'The latest values of many entities',
      tags: ['features'],
      parameters: [inPath('project'), ...callerHeaders.query],
      requestBody: { required: true, ...json(jsonSchemaOf(readInput.omit({ project: true }), 'input')) },
      responses: { 200: { description: 'One row for each entity', ...json(onlineRows) }, ...problem },
    },
  },
};
