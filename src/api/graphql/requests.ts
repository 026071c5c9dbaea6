import { Refusal } from '../../domain/kit/index.js';
import { limits } from './limits.js';

/** Refuses a body that is no request of GraphQL and no batch of them, before it is looked at any closer. */
export function requireQueries(body: unknown): void {
  const requests: readonly unknown[] = Array.isArray(body) ? body : [body];
  if (requests.length > limits.batch) throw new Refusal('INVALID_ARGUMENT', `A batch holds at most ${limits.batch} queries`, { reason: 'QUERY_BATCH_LIMIT' });
  for (const request of requests) {
    if (typeof request !== 'object' || request === null || Array.isArray(request)) throw new Refusal('INVALID_ARGUMENT', 'The body must be a JSON object with a query, or a list of such', { reason: 'INVALID_BODY' });
    requireQuery(request);
  }
}

function requireQuery({ query, variables, operationName, extensions }: { query?: unknown; variables?: unknown; operationName?: unknown; extensions?: unknown }): void {
  const persisted = typeof extensions === 'object' && extensions !== null && 'persistedQuery' in extensions;
  if (typeof query !== 'string' || query.trim() === '') throw refused('query', `is required: the operation, as a text${persisted ? '; no persisted queries are kept here' : ''}`);
  if (variables != null && (typeof variables !== 'object' || Array.isArray(variables))) throw refused('variables', 'takes an object');
  if (operationName != null && typeof operationName !== 'string') throw refused('operationName', 'takes a text');
}

const refused = (field: string, description: string) => new Refusal('INVALID_ARGUMENT', `${field} ${description}`, { reason: 'INVALID_QUERY', fields: [{ field, description }] });
