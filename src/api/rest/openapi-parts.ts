import { refusalCodes } from '../../domain/kit/index.js';
import { wordsOf } from '../field-words.js';

const header = (name: string, description: string) => ({ name, in: 'header', required: false, description, schema: { type: 'string' } });

/** A part of a hand-written controller's path. */
export const inPath = (name: string) => ({ name, in: 'path', required: true, description: wordsOf(name), schema: { type: 'string' } });

/** What a caller may say beside the input. */
export const callerHeaders = {
  command: [
    header('Idempotency-Key', 'A key of your choice: a repeat of the request under it is recognised and takes effect once.'),
    header('If-Match', 'The etag that the resource must still have, several of which it must have one, or `*`: it must exist.'),
  ],
  action: [],
  query: [header('Tarl-Min-Position', 'The position of an earlier answer: what is read is no older than that.')],
};

/** The body of every failure (RFC 9457). */
export const problem = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'traceId'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What is so, in a sentence.' },
    code: { type: 'string', enum: [...refusalCodes, 'INTERNAL'] },
    reason: { type: 'string', description: 'A constant that a program can branch on.' },
    fields: {
      type: 'array',
      items: { type: 'object', required: ['field', 'description'], properties: { field: { type: 'string' }, description: { type: 'string' } } },
    },
    metadata: { type: 'object', additionalProperties: { type: 'string' } },
    traceId: { type: 'string' },
  },
};

/** Answers that many operations share. */
export const sharedResponses = {
  Problem: { description: 'It was refused, or failed', content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } },
};

const answer = (description: string, contentType = 'application/json') => ({ description, content: { [contentType]: {} } });
const text = { type: 'string' };
const body = (properties: object, required: readonly string[] = []) => ({
  required: required.length > 0,
  content: { 'application/json': { schema: { type: 'object', properties, ...(required.length > 0 && { required }), additionalProperties: false } } },
});
const inQuery = (name: string, description: string) => ({ name, in: 'query', required: false, description, schema: text });
const noKey = { security: [] };

/** The addresses for orchestrators, monitoring and operators. */
export const operatorPaths = {
  '/health/live': { get: { operationId: 'live', summary: 'The process answers', tags: ['operations'], ...noKey, responses: { 200: answer('It does') } } },
  '/health/ready': {
    get: { operationId: 'ready', summary: 'The platform can do its work', tags: ['operations'], ...noKey, responses: { 200: answer('It can'), 503: answer('It cannot; the checks say why') } },
  },
  '/metrics': { get: { operationId: 'metrics', summary: 'Numbers for Prometheus', tags: ['operations'], responses: { 200: answer('The page', 'text/plain') } } },
  '/api/v1/platform': { get: { operationId: 'platformStatus', summary: 'Versions, and how far each view has come', tags: ['operations'], responses: { 200: answer('The status') } } },
  '/api/v1/replay': {
    get: {
      operationId: 'replay', summary: 'The chosen events of the log again, oldest first, a line of JSON each', tags: ['operations'],
      parameters: [
        inQuery('from', 'Begin after this position, or at this time.'),
        inQuery('to', 'End with this position, or at this time.'),
        inQuery('type', 'Event types, by commas; `*` at the end of one stands for all that begin so.'),
        inQuery('stream', 'Names of streams, likewise.'),
        ...['project', 'actor', 'correlation'].map((name) => inQuery(name, `Only events whose metadata name this ${name}.`)),
        inQuery('state', '`true`: with the state of its stream after each event.'),
        inQuery('effects', '`true`: with all that the chosen events led to later, whoever did it.'),
        inQuery('progress', '`true`: with lines `{"progress": …}` in between, twice a second.'),
      ],
      responses: { 200: answer('The events', 'application/x-ndjson') },
    },
  },
};
