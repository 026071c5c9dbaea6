import type { FastifyRequest } from 'fastify';
import { Refusal, type FieldViolation } from '../../domain/kit/index.js';
import type { Field, Kind } from '../fields.js';
import type { Operation } from '../operations.js';
import { pathFields } from './paths.js';

/** How an operation finds its input in a request: path, then query string (GET, DELETE) or body. */
export function inputReader({ http, inputFields }: Operation): (request: FastifyRequest) => Record<string, unknown> {
  const named = pathFields(http.path);
  const rest: Kind = { kind: 'object', fields: inputFields.filter(({ name }) => !named.includes(name)) };
  const fromQuery = http.method === 'GET' || http.method === 'DELETE';
  return (request) => {
    const given = fromQuery ? readQuery(request.query as Record<string, unknown>, inputFields) : readBody(request.body);
    refuseUnknown(given, rest);
    return { ...given, ...(request.params as object) };
  };
}

/** A missing body is an empty one: `POST …:archive` may need none. */
function readBody(body: unknown): Record<string, unknown> {
  if (body === undefined || body === null) return {};
  if (typeof body === 'object' && !Array.isArray(body)) return body as Record<string, unknown>;
  throw new Refusal('INVALID_ARGUMENT', 'The body must be a JSON object', { reason: 'INVALID_BODY' });
}

/** Texts of the query string as the types of their fields; what does not read as its type stays a text, and the schema refuses it. */
function readQuery(query: Record<string, unknown>, fields: readonly Field[]): Record<string, unknown> {
  const kinds = new Map(fields.map(({ name, kind }) => [name, kind]));
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [name, readText(value, kinds.get(name))]));
}

function readText(value: unknown, kind: Kind | undefined): unknown {
  switch (kind?.kind) {
    case 'integer':
    case 'number':
      return typeof value === 'string' && /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value) ? Number(value) : value;
    case 'boolean':
      return value === 'true' ? true : value === 'false' ? false : value;
    case 'list':
      return (Array.isArray(value) ? value : [value]).map((item) => readText(item, kind.of));
    case 'object':
    case 'map':
    case 'json':
      return typeof value === 'string' ? jsonOr(value) : value;
    default:
      return value;
  }
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

/** A misspelt field is refused rather than ignored, at any depth. */
function refuseUnknown(value: Record<string, unknown>, kind: Kind): void {
  const found: FieldViolation[] = [];
  collectUnknown(value, kind, '', found);
  if (found.length === 0) return;
  throw new Refusal('INVALID_ARGUMENT', found.map(({ field, description }) => `${field} ${description}`).join('; '), { reason: 'UNKNOWN_FIELD', fields: found });
}

function collectUnknown(value: unknown, kind: Kind, path: string, found: FieldViolation[]): void {
  if (typeof value !== 'object' || value === null) return;
  if (kind.kind === 'list' && Array.isArray(value)) value.forEach((item, index) => collectUnknown(item, kind.of, `${path}[${index}]`, found));
  if (Array.isArray(value)) return;
  const under = (name: string) => (path === '' ? name : `${path}.${name}`);
  if (kind.kind === 'map') for (const [name, item] of Object.entries(value)) collectUnknown(item, kind.of, under(name), found);
  if (kind.kind !== 'object') return;
  for (const [name, item] of Object.entries(value)) {
    const field = kind.fields.find((known) => known.name === name);
    if (field) collectUnknown(item, field.kind, under(name), found);
    else found.push({ field: under(name), description: 'is not a field of this request' });
  }
}
