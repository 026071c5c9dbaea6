import { refusalCodes } from '../../domain/kit/index.js';

const header = (name: string, description: string) => ({ name, in: 'header', required: false, description, schema: { type: 'string' } });

/** What a caller may say beside the input. */
export const callerHeaders = {
  command: [
    header('Idempotency-Key', 'A key of your choice: a repeat of the request under it is recognised and takes effect once.'),
    header('If-Match', 'The etag that the resource must still have.'),
  ],
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
const viewName = { name: 'view', in: 'path', required: true, schema: text };
const operationId = { name: 'id', in: 'path', required: true, schema: text };
const viewOrAll = { ...viewName, description: 'The name of a view, or `-` for all.' };
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
  '/api/v1/projections': { get: { operationId: 'listProjections', summary: 'Every read model: version, position, lag, rate, and the process that projects each slice', tags: ['operations'], responses: { 200: answer('The read models') } } },
  '/api/v1/projections/{view}:rebuild': {
    post: {
      operationId: 'rebuildProjection', summary: 'Begin to build a read model anew from the log; queries go on, and so does the work when the caller hangs up', tags: ['operations'],
      parameters: [viewName],
      responses: { 200: answer('The operation') },
    },
  },
  '/api/v1/projections/{view}:split': {
    post: {
      operationId: 'splitProjection', summary: 'Split a read model by key into slices that are projected side by side; nothing is rebuilt', tags: ['operations'],
      parameters: [viewName],
      requestBody: body({ slices: { type: 'integer', minimum: 1, maximum: 64 } }, ['slices']),
      responses: { 200: answer('The read model') },
    },
  },
  '/api/v1/projections/{view}/parked': {
    get: {
      operationId: 'listParkedKeys', summary: 'The keys that wait because their view cannot take an event', tags: ['operations'],
      parameters: [viewOrAll],
      responses: { 200: answer('View, key, event, error, and how many events wait behind it') },
    },
  },
  '/api/v1/projections/{view}:retry': {
    post: {
      operationId: 'retryParkedEvents', summary: 'Try parked events again, of one key or of all', tags: ['operations'],
      parameters: [viewName],
      requestBody: body({ key: text }),
      responses: { 200: answer('How many events were taken, and how many still wait') },
    },
  },
  '/api/v1/projections/{view}:skip': {
    post: {
      operationId: 'skipParkedEvent', summary: 'Go on without the first event that waits under a key; the log keeps who decided it and why', tags: ['operations'],
      parameters: [viewName, callerHeaders.command[0]],
      requestBody: body({ key: text, reason: text }, ['key', 'reason']),
      responses: { 200: answer('How many events were taken, and how many still wait') },
    },
  },
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
  '/api/v1/projections/{view}:compare': {
    post: {
      operationId: 'compareProjection', summary: 'How the rows of a read model differ from what the log gives now; nothing is changed', tags: ['operations'],
      parameters: [viewName],
      responses: { 200: answer('Rows that a rebuild would add, remove and change, by column') },
    },
  },
  '/api/v1/operations': { get: { operationId: 'listOperations', summary: 'The newest operations, newest first', tags: ['operations'], responses: { 200: answer('The operations') } } },
  '/api/v1/operations/{id}': {
    get: { operationId: 'getOperation', summary: 'How far an operation is, and how it ended', tags: ['operations'], parameters: [operationId], responses: { 200: answer('The operation') } },
  },
  '/api/v1/operations/{id}:cancel': {
    post: { operationId: 'cancelOperation', summary: 'Ask an operation to end', tags: ['operations'], parameters: [operationId], responses: { 200: answer('The operation, which may take a moment to end') } },
  },
};
