import { describe, expect, test } from '@jest/globals';
import { buildSchema, getNamedType, type GraphQLInputObjectType } from 'graphql';
import protobuf from 'protobufjs';
import { fieldsOf, type Field, type Kind } from '../../src/api/fields.js';
import { graphqlAdditions } from '../../src/api/graphql/additions.js';
import { fieldName, sdlOf } from '../../src/api/graphql/schema.js';
import { enumPrefix } from '../../src/api/grpc/values.js';
import { reflect } from '../../src/api/grpc/protos.js';
import { handwritten } from '../../src/api/handwritten.js';
import { operationsOf, type Operation } from '../../src/api/operations.js';
import { openApiDocument } from '../../src/api/rest/docs-controller.js';
import { pathFields } from '../../src/api/rest/paths.js';
import { catalogue } from '../../src/catalogue.js';

const operations = operationsOf(catalogue);
const root = reflect([...new Set(catalogue.map(({ proto }) => proto))], { alternateCommentMode: true });
const schema = buildSchema(sdlOf(operations));

const rpcOf = ({ domain, name }: Operation) => root.lookupService(domain.service).methods[name];

describe.each(operations.map((operation) => [operation.name, operation] as const))('%s', (_name, operation) => {
  test('is served on all three wires', () => {
    expect(rpcOf(operation)?.name).toBe(operation.name);
    const fields = (operation.kind === 'query' ? schema.getQueryType() : schema.getMutationType())!.getFields();
    expect(Object.keys(fields)).toContain(fieldName(operation));
    expect(operation.inputFields.map(({ name }) => name)).toEqual(expect.arrayContaining([...pathFields(operation.http.path)]));
  });

  test('takes the same fields over gRPC as everywhere', () => {
    expectSame(messageFields(rpcOf(operation)!.resolvedRequestType!, 'input'), schemaFields(operation.inputFields, 'input'));
  });

  test('says of each field what it means, in its definition and in the proto', () => {
    expect(operation.inputFields.filter(({ description }) => description === undefined).map(({ name }) => name)).toEqual([]);
    const { requestType } = rpcOf(operation)!;
    const message = rpcOf(operation)!.resolvedRequestType!;
    expect(message.fieldsArray.filter((field) => !field.comment).map(({ name }) => `${requestType}.${name}`)).toEqual([]);
  });

  test('answers with the same fields over gRPC as everywhere', () => {
    const answer = rpcOf(operation)!.resolvedResponseType!;
    if (operation.kind === 'command') expect(answer.fullName).toBe('.tarl.common.v1.CommandReply');
    else if ('output' in operation.definition) expectSame(messageFields(answer, 'output'), schemaFields(fieldsOf(operation.definition.output, 'output'), 'output'));
  });
});

test('every rpc of every service is derived or hand-written', () => {
  for (const { service } of catalogue) {
    const domains = catalogue.filter((domain) => domain.service === service).map(({ name }) => name);
    const derived = operations.filter(({ domain }) => domains.includes(domain.name)).map(({ name }) => name);
    const written = handwritten.filter(({ domain }) => domains.includes(domain)).flatMap(({ grpc }) => Object.keys(grpc?.({} as never, {} as never) ?? {}));
    expect([...derived, ...written].sort()).toEqual(Object.keys(root.lookupService(service).methods).sort());
  }
});

test('every query of views that keep their history can be asked as of a moment, and no other', () => {
  const views = catalogue.flatMap((domain) => domain.views);
  for (const { name, definition, inputFields } of operations) {
    if (!('views' in definition) || definition.views.length === 0) continue;
    const kept = definition.views.every((read) => views.find((view) => view.name === read)?.keepsHistory);
    expect({ [name]: inputFields.some((field) => field.name === 'asOf') }).toEqual({ [name]: kept });
  }
});

test('whoever asks as of a moment is answered from the history, never from the rows of now', async () => {
  for (const { name, definition, inputFields } of operations) {
    if (!('views' in definition) || !inputFields.some((field) => field.name === 'asOf')) continue;
    const statements: string[] = [];
    const pool = { query: async (text: string) => (statements.push(text), { rows: [] }) };
    const needed = inputFields.filter((field) => !field.optional && field.default === undefined).map((field) => [field.name, 'x']);
    const input = definition.input.parse({ ...Object.fromEntries(needed), asOf: '7' });
    await definition.run(input as never, { pool } as never).catch((error: { code?: string }) => expect(error.code).toBe('NOT_FOUND'));
    expect({ [name]: statements.filter((text) => !text.includes('_history where')) }).toEqual({ [name]: [] });
    expect(statements).not.toEqual([]);
  }
});

test('every field of what an rpc takes says what it means, in the hand-written ones too', () => {
  const rpcs = [...new Set(catalogue.map(({ service }) => service))].flatMap((service) => Object.values(root.lookupService(service).methods));
  const silent = rpcs.flatMap(({ resolvedRequestType }) => resolvedRequestType!.fieldsArray.filter((field) => !field.comment).map((field) => `${resolvedRequestType!.name}.${field.name}`));
  expect([...new Set(silent)]).toEqual([]);
});

test('every argument of GraphQL says what it means, of hand-written fields too', () => {
  const whole = buildSchema(sdlOf(operations, graphqlAdditions(catalogue).map(({ typeDefs }) => typeDefs)));
  const roots = [whole.getQueryType()!, whole.getMutationType()!, whole.getSubscriptionType()!];
  const silent = roots.flatMap((type) =>
    Object.values(type.getFields()).flatMap((field) =>
      field.args.flatMap(({ name, type: given, description }) => {
        if (name !== 'input') return description ? [] : [`${field.name}(${name})`];
        return Object.values((getNamedType(given) as GraphQLInputObjectType).getFields()).flatMap((part) => (part.description ? [] : [`${field.name}(input.${part.name})`]));
      }),
    ),
  );
  expect(silent).toEqual([]);
});

test('every parameter of the OpenAPI document says what it means', () => {
  const { paths } = openApiDocument(operations) as { paths: Record<string, Record<string, { parameters?: { name: string; description?: string }[] }>> };
  const silent = Object.entries(paths).flatMap(([path, methods]) =>
    Object.values(methods).flatMap(({ parameters = [] }) => parameters.filter(({ description }) => !description).map(({ name }) => `${path}: ${name}`)),
  );
  expect(silent).toEqual([]);
});

test('no two operations share a REST route', () => {
  const routes = operations.map(({ http }) => `${http.method} ${http.path}`);
  expect(new Set(routes).size).toBe(routes.length);
});

type Io = 'input' | 'output';

/** An enum may be shared by fields that take only some of its values, so there protobuf may know more values than a schema. */
function expectSame(message: unknown, schema: unknown, path = ''): void {
  if (Array.isArray(schema)) return expect({ [path]: message }).toEqual({ [path]: expect.arrayContaining(schema) });
  if (typeof schema !== 'object' || schema === null || typeof message !== 'object' || message === null) return expect({ [path]: message }).toEqual({ [path]: schema });
  expect({ [path]: Object.keys(message).sort() }).toEqual({ [path]: Object.keys(schema).sort() });
  for (const [name, kind] of Object.entries(schema)) expectSame((message as Record<string, unknown>)[name], kind, `${path}.${name}`);
}

/** The fields of a schema as text, `name` → kind, in the words of protobuf. */
const schemaFields = (fields: readonly Field[], io: Io): Record<string, unknown> =>
  Object.fromEntries(fields.map(({ name, kind, optional }) => [name, said(schemaKind(kind, io), kind.kind, optional, io)]));

/** What may be left out only shows where protobuf marks it: on scalars of inputs. Lists, maps and messages always may. */
const said = (type: unknown, kind: Kind['kind'], optional: boolean, io: Io) => (io === 'input' && optional && !['list', 'map', 'object', 'datetime', 'json', 'enum'].includes(kind) ? `optional ${String(type)}` : type);

function schemaKind(kind: Kind, io: Io): unknown {
  if (kind.kind === 'enum') return kind.values;
  if (kind.kind === 'list' || kind.kind === 'map') return { [kind.kind]: schemaKind(kind.of, io) };
  return kind.kind === 'object' ? schemaFields(kind.fields, io) : kind.kind;
}

const messageFields = (type: protobuf.Type, io: Io): Record<string, unknown> =>
  Object.fromEntries(
    type.fieldsArray.map((field) => {
      const kind = fieldKind(field, io);
      if (field.map) return [field.name, { map: kind }];
      if (field.repeated) return [field.name, { list: kind }];
      return [field.name, io === 'input' && field.options?.proto3_optional && !(field.resolvedType instanceof protobuf.Enum) ? `optional ${String(kind)}` : kind];
    }),
  );

const scalars: Readonly<Record<string, string>> = {
  string: 'string', bool: 'boolean', bytes: 'bytes', double: 'number', float: 'number',
  int32: 'integer', uint32: 'integer', sint32: 'integer', int64: 'integer', uint64: 'integer', sint64: 'integer', fixed64: 'integer', sfixed64: 'integer',
};
const wellKnown: Readonly<Record<string, string>> = { '.google.protobuf.Timestamp': 'datetime', '.google.protobuf.Struct': 'json', '.google.protobuf.Value': 'json', '.google.protobuf.ListValue': 'json', '.google.protobuf.Duration': 'string' };

function fieldKind(field: protobuf.Field, io: Io): unknown {
  const type = field.resolvedType;
  if (!type) return scalars[field.type];
  if (type instanceof protobuf.Enum) return Object.keys(type.values).map((value) => value.slice(enumPrefix(type).length));
  return wellKnown[type.fullName] ?? messageFields(type, io);
}
