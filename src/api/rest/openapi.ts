import type { z } from 'zod';
import type { AnyQuery } from '../../projections/kit/query.js';
import { jsonSchemaOf } from '../fields.js';
import type { Operation } from '../operations.js';
import { callerHeaders, operatorPaths, problem, sharedResponses } from './openapi-parts.js';
import { pathFields } from './paths.js';

type Json = Record<string, any>;

/** The OpenAPI 3.1 document of the REST API; `additions` are the paths of hand-written controllers. */
export function openApiOf(operations: readonly Operation[], version: string, additions: readonly Json[] = []): Json {
  const schemas: Json = { Problem: problem, CommandReply: commandReply };
  const paths: Json = {};
  for (const operation of operations) {
    const path = (paths[operation.http.path] ??= {});
    path[operation.http.method.toLowerCase()] = describeOperation(operation, schemas);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'TARL OS', version, description: 'The control plane of a machine-learning platform: one log of every change, any question as of any moment.' },
    security: [{ bearer: [] }, { apiKey: [] }],
    paths: Object.assign(paths, ...additions, operatorPaths),
    components: {
      schemas,
      responses: sharedResponses,
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' }, apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' } },
    },
  };
}

function describeOperation({ kind, camelName, summary, domain, http, definition, inputFields }: Operation, schemas: Json): Json {
  const { properties: shapes, required } = objectOf(definition.input, 'input', schemas);
  const properties: Json = Object.fromEntries(inputFields.map(({ name, description }) => [name, { ...(description !== undefined && { description }), ...shapes[name] }]));
  const inPath = pathFields(http.path);
  const others = Object.keys(properties).filter((name) => !inPath.includes(name));
  const inQuery = http.method === 'GET' || http.method === 'DELETE' ? others : [];
  const inBody = inQuery.length > 0 ? [] : others;
  const parameter = (name: string, place: 'path' | 'query') => {
    const { description, ...schema } = properties[name];
    return { name, in: place, required: required.includes(name), ...(description && { description }), schema };
  };
  return {
    operationId: camelName,
    summary,
    tags: [domain.name],
    parameters: [...inPath.map((name) => parameter(name, 'path')), ...inQuery.map((name) => parameter(name, 'query')), ...callerHeaders[kind]],
    ...(inBody.length > 0 && { requestBody: bodyOf(inBody, properties, required) }),
    responses: {
      200: {
        description: { command: 'It has taken effect', action: 'What became of it, or what goes on from here', query: 'The answer' }[kind],
        ...(kind === 'command' && { headers: { 'Tarl-Position': { schema: { type: 'string' } }, ETag: { schema: { type: 'string' } } } }),
        ...('asOf' in properties && { headers: { 'Tarl-As-Of': { description: 'The position that an answer about the past was made at.', schema: { type: 'string' } } } }),
        content: { 'application/json': { schema: kind === 'command' ? { $ref: '#/components/schemas/CommandReply' } : schemaOf((definition as AnyQuery).output, 'output', schemas) } },
      },
      default: { $ref: '#/components/responses/Problem' },
    },
  };
}

function bodyOf(names: readonly string[], properties: Json, required: readonly string[]): Json {
  const needed = names.filter((name) => required.includes(name));
  const schema = {
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, properties[name]])),
    ...(needed.length > 0 && { required: needed }),
    additionalProperties: false,
  };
  return { required: needed.length > 0, content: { 'application/json': { schema } } };
}

/** A schema whose named parts have moved to the document's components; those of inputs are called `…Input`. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', schemas: Json): Json {
  const { $defs = {}, $schema: _, ...rest } = jsonSchemaOf(schema, io) as Json;
  const suffix = io === 'input' ? 'Input' : '';
  for (const [name, definition] of Object.entries($defs)) schemas[name + suffix] = tidied(definition, suffix);
  return tidied(rest, suffix);
}

function objectOf(schema: z.ZodObject, io: 'input' | 'output', schemas: Json): { properties: Json; required: readonly string[] } {
  const described = schemaOf(schema, io, schemas);
  const { properties = {}, required = [] } = described.$ref ? schemas[described.$ref.split('/').at(-1)] : described;
  return { properties, required };
}

/** Without what says nothing to a reader: the bounds of a double's integers, and the pattern behind a named format. */
function tidied(value: any, suffix: string): any {
  if (Array.isArray(value)) return value.map((item) => tidied(item, suffix));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) => {
      if (key === '$ref') return [[key, `${String(item).replace('#/$defs/', '#/components/schemas/')}${suffix}`]];
      if (key === 'pattern' && 'format' in value) return [];
      if ((key === 'maximum' && item === Number.MAX_SAFE_INTEGER) || (key === 'minimum' && item === Number.MIN_SAFE_INTEGER)) return [];
      return [[key, tidied(item, suffix)]];
    }),
  );
}

const commandReply = {
  type: 'object',
  required: ['commandId', 'position', 'etag', 'changed'],
  properties: {
    commandId: { type: 'string', format: 'uuid' },
    position: { type: 'string', description: "The position of the command's last event; of the stream's last event when nothing changed." },
    etag: { type: 'string', description: 'The version of the resource after the command, for If-Match.' },
    changed: { type: 'boolean', description: 'False when the command had already taken effect.' },
  },
};
