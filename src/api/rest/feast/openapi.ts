const text = { type: 'string' };
const project = { name: 'project', in: 'query', required: false, description: 'The project; or the header Tarl-Project, or the setting TARL_FEAST_PROJECT.', schema: text };
const failure = { description: "As Feast's server says it: a JSON text of the error's module, class and message", content: { 'application/json': { schema: text } } };
const body = (properties: object, required: readonly string[]) => ({ required: true, content: { 'application/json': { schema: { type: 'object', properties, required } } } });
const columns = { type: 'object', additionalProperties: { type: 'array', items: {} } };
const column = { type: 'object', properties: { values: { type: 'array', items: {} }, statuses: { type: 'array', items: text }, event_timestamps: { type: 'array', items: { ...text, format: 'date-time' } } } };

/** The addresses of FeastController. */
export const feastPaths = {
  '/get-online-features': {
    post: {
      operationId: 'feastGetOnlineFeatures', summary: "Feast's feature server: the latest values of entities, in columns", tags: ['feast'], parameters: [project],
      requestBody: body({ features: { type: 'array', items: text }, feature_service: text, entities: columns, full_feature_names: { type: 'boolean', default: false } }, ['entities']),
      responses: {
        200: { description: 'The keys of the entities, then the features', content: { 'application/json': { schema: { type: 'object', properties: { metadata: { type: 'object', properties: { feature_names: { type: 'array', items: text } } }, results: { type: 'array', items: column } } } } } },
        default: failure,
      },
    },
  },
  '/push': {
    post: {
      operationId: 'feastPush', summary: "Feast's feature server: rows for the group that is called like the push source", tags: ['feast'], parameters: [project],
      requestBody: body({ push_source_name: text, df: columns, to: { type: 'string', enum: ['online', 'offline', 'online_and_offline'], default: 'online' } }, ['push_source_name', 'df']),
      responses: { 200: { description: 'They are stored', content: { 'application/json': { schema: { type: 'null' } } } }, default: failure },
    },
  },
  '/health': { get: { operationId: 'feastHealth', summary: "Feast's feature server: whether it can do its work", tags: ['feast'], security: [], responses: { 200: { description: 'It can' }, 503: { description: 'It cannot' } } } },
};
