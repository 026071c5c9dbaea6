import { discardInput } from '../../../commands/features/quarantine/discard.js';
import { mendInput } from '../../../commands/features/quarantine/mend.js';
import { jsonSchemaOf } from '../../fields.js';
import { callerHeaders, inPath } from '../openapi-parts.js';
import { writeReply } from './openapi.js';

const json = (schema: object) => ({ content: { 'application/json': { schema } } });
const problem = { default: { $ref: '#/components/responses/Problem' } };
const idempotencyKey = callerHeaders.command.filter(({ name }) => name === 'Idempotency-Key');

/** The addresses of QuarantineController. */
export const quarantinePaths = {
  '/api/v1/projects/{project}/quarantined-rows/{id}:mend': {
    post: {
      operationId: 'mendQuarantinedRow',
      summary: 'Writes a refused row again with other values; it leaves the quarantine when it is written',
      tags: ['quarantine'],
      parameters: [inPath('project'), inPath('id')],
      requestBody: json(jsonSchemaOf(mendInput.omit({ project: true, id: true }), 'input')),
      responses: { 200: { description: 'It is written', ...json(writeReply) }, ...problem },
    },
  },
  '/api/v1/projects/{project}/quarantined-rows:discard': {
    post: {
      operationId: 'discardQuarantinedRows',
      summary: 'Gives refused rows up; the log says who decided it and why',
      tags: ['quarantine'],
      parameters: [inPath('project'), ...idempotencyKey],
      requestBody: { required: true, ...json(jsonSchemaOf(discardInput.omit({ project: true }), 'input')) },
      responses: { 200: { description: 'They are gone', ...json({ type: 'object', properties: { discarded: { type: 'integer' }, position: { type: 'string' } } }) }, ...problem },
    },
  },
};
