import { callerHeaders, inPath } from '../openapi-parts.js';
import { rowsMediaTypes } from './bodies.js';

const text = { type: 'string' };
const count = { type: 'integer' };
const inQuery = (name: string, description: string, schema: object = text) => ({ name, in: 'query', required: false, description, schema });
const truth = { type: 'boolean', default: false };

const importReply = {
  type: 'object',
  properties: {
    rowsRead: count, rowsWritten: count, rowsRejected: count, rowsQuarantined: count,
    position: { ...text, description: 'The position of the last event; empty when no row was good.' },
    columnsIgnored: { type: 'array', items: text, description: 'Columns of the file that are no key or feature of the group.' },
    faults: {
      type: 'array',
      description: 'What is wrong with the rejected rows, by their line or number in the file; the first hundred faults.',
      items: { type: 'object', properties: { place: text, field: text, description: text } },
    },
  },
};

/** The address of FeatureImportController. */
export const featureImportPaths = {
  '/api/v1/projects/{project}/feature-groups/{group}/rows:import': {
    post: {
      operationId: 'importFeatureRows',
      summary: 'Stores the rows of a file while it is sent; under an Idempotency-Key it may be sent again and stores only what is missing',
      tags: ['features'],
      parameters: [
        inPath('project'), inPath('group'),
        inQuery('version', 'Which version of the group; the promoted one where it is left out.', count),
        inQuery('mode', 'ONLINE, OFFLINE or BOTH.', { type: 'string', enum: ['ONLINE', 'OFFLINE', 'BOTH'], default: 'BOTH' }),
        inQuery('partial', 'Stores the good rows although there are bad ones.', truth),
        inQuery('quarantine', 'Keeps the bad rows for mending, and stores the good ones.', truth),
        inQuery('eventTime', 'The column with the time of each row.', { ...text, default: 'event_time' }),
        inQuery('timeUnit', 'What numbers count that stand for times, since 1970: seconds, milliseconds, microseconds or nanoseconds; column=unit for one column. Without it they are microseconds, and refused where all event times would lie before 1980.', { type: 'array', items: text }),
        inQuery('map', 'column=name, once for each column that is not called like its key or feature.', { type: 'array', items: text }),
        ...callerHeaders.command.filter(({ name }) => name === 'Idempotency-Key'),
      ],
      requestBody: { required: true, content: Object.fromEntries(rowsMediaTypes.map((mediaType) => [mediaType, { schema: { type: 'string', format: 'binary' } }])) },
      responses: { 200: { description: 'What was stored', content: { 'application/json': { schema: importReply } } }, default: { $ref: '#/components/responses/Problem' } },
    },
  },
};
