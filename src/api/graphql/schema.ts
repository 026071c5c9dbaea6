import type { GraphQLFieldResolver } from 'graphql';
import { fieldsOf, type Field, type Kind } from '../fields.js';
import type { Operation } from '../operations.js';
import { listFieldOf } from './connection.js';
import type { GraphqlContext } from './context.js';

type Resolver = GraphQLFieldResolver<unknown, GraphqlContext>;

/** Resolvers by type and field; a subscription's field is an object with `subscribe`. */
export type Resolvers = Readonly<Record<string, Readonly<Record<string, Resolver | { readonly subscribe: Resolver; readonly resolve?: Resolver }>>>>;

/** `GetProject` is the field `project`, `ListProjects` is `projects`; all others keep their name. */
export const fieldName = ({ kind, name, camelName }: Operation): string => {
  const noun = kind === 'query' ? /^(?:Get|List)([A-Z].*)$/.exec(name)?.[1] : undefined;
  return noun === undefined ? camelName : noun[0]!.toLowerCase() + noun.slice(1);
};

const preamble = `"""A moment, ISO 8601 in UTC."""
scalar DateTime

"""Any JSON value."""
scalar JSON

"""A whole number of up to 53 bits."""
scalar Long

"""The same answer for every command."""
type CommandReply {
  commandId: ID!
  """The position of the command's last event; of the stream's last event when nothing changed."""
  position: String!
  """The version of the resource after the command."""
  etag: String!
  """False when the command had already taken effect."""
  changed: Boolean!
}

type PageInfo {
  hasNextPage: Boolean!
  endCursor: String
}`;

/** The schema as text, printed from the definitions; `additions` are the hand-written parts. */
export function sdlOf(operations: readonly Operation[], additions: readonly string[] = []): string {
  const types = new Types();
  const mutations: string[] = [];
  const queries: string[] = [];
  for (const operation of operations) {
    if (operation.kind !== 'query') mutations.push(mutationField(operation, types));
    else queries.push(queryField(operation, types));
  }
  return [
    preamble,
    ...types.printed(),
    `type Query {\n${queries.join('\n')}\n}`,
    `type Mutation {\n${mutations.join('\n')}\n}`,
    ...(additions.some((text) => /\btype Subscription\b/.test(text)) ? ['type Subscription'] : []),
    ...additions.map((text) => text.trim()),
  ].join('\n\n') + '\n';
}

function mutationField(operation: Operation, types: Types): string {
  const { kind, summary, name, inputFields, definition } = operation;
  const input = types.object(`${name}Input`, inputFields, 'input');
  const answer = kind === 'action' && 'output' in definition ? types.object(outputName(operation), fieldsOf(definition.output, 'output'), 'output') : 'CommandReply';
  return `  ${quoted(summary)}\n  ${fieldName(operation)}(input: ${input}!): ${answer}!`;
}

/** A query's answer may be null, so that one that is refused does not take the others of its request with it. */
function queryField(operation: Operation, types: Types): string {
  const { summary, name, inputFields, definition } = operation;
  const output = fieldsOf('output' in definition ? definition.output : definition.input, 'output');
  const list = listFieldOf(operation);
  const arguments_ = inputFields.filter((field) => !(list && isPaging(field))).map((field) => argument(field, name, types));
  if (list) arguments_.push('"""At most this many, 1 to 1000."""\n    first: Int = 100', '"""The cursor after which to go on."""\n    after: String');
  const type = list ? types.connection(output.find((field) => field.name === list)!, name) : types.object(outputName(operation), output, 'output');
  const printed = arguments_.length > 0 ? `(\n    ${arguments_.join('\n    ')}\n  )` : '';
  return `  ${quoted(summary)}\n  ${fieldName(operation)}${printed}: ${type}`;
}

const isPaging = ({ name }: Field): boolean => name === 'pageSize' || name === 'pageToken';
const outputName = ({ definition, name }: Operation): string => ('output' in definition && (definition.output.meta()?.id as string | undefined)) || `${name}Result`;
const quoted = (text: string): string => `"""${text.replaceAll('"""', '\\"""')}"""`;

function argument(field: Field, parent: string, types: Types): string {
  const text = `${field.name}: ${types.reference(field.kind, parent + pascal(field.name), 'input')}${field.optional ? '' : '!'}`;
  return field.description === undefined ? text : `${quoted(field.description)}\n    ${text}`;
}

const pascal = (name: string): string => name[0]!.toUpperCase() + name.slice(1);

/** The named types met so far, each printed once. */
class Types {
  private readonly definitions = new Map<string, string>();

  printed(): readonly string[] {
    return [...this.definitions.values()];
  }

  reference(kind: Kind, fallbackName: string, io: 'input' | 'output'): string {
    switch (kind.kind) {
      case 'string':
      case 'bytes':
        return 'String';
      case 'boolean':
        return 'Boolean';
      case 'number':
        return 'Float';
      case 'integer':
        return (kind.min ?? -Infinity) >= -(2 ** 31) && (kind.max ?? Infinity) < 2 ** 31 ? 'Int' : 'Long';
      case 'datetime':
        return 'DateTime';
      case 'json':
      case 'map':
        return 'JSON';
      case 'enum':
        return this.enumeration(kind.name ?? fallbackName, kind.values);
      case 'list':
        return `[${this.reference(kind.of, fallbackName, io)}!]`;
      case 'object':
        return this.object(kind.name === undefined ? fallbackName + (io === 'input' ? 'Input' : '') : kind.name + (io === 'input' ? 'Input' : ''), kind.fields, io);
    }
  }

  object(name: string, fields: readonly Field[], io: 'input' | 'output'): string {
    if (!this.definitions.has(name)) {
      this.definitions.set(name, '');
      const lines = fields.map((field) => {
        const type = this.reference(field.kind, name.replace(/Input$/, '') + pascal(field.name), io);
        const line = `  ${field.name}: ${type}${field.optional ? '' : '!'}`;
        return field.description === undefined ? line : `  ${quoted(field.description)}\n${line}`;
      });
      this.definitions.set(name, `${io === 'input' ? 'input' : 'type'} ${name} {\n${lines.join('\n')}\n}`);
    }
    return name;
  }

  connection(list: Field, parent: string): string {
    if (list.kind.kind !== 'list') throw new Error(`${parent} gives pages of something that is not a list`);
    const node = this.reference(list.kind.of, parent.replace(/^List/, '').replace(/s$/, ''), 'output');
    const edge = `${node}Edge`;
    const connection = `${node}Connection`;
    this.definitions.set(edge, `type ${edge} {\n  cursor: String!\n  node: ${node}!\n}`);
    this.definitions.set(connection, `type ${connection} {\n  edges: [${edge}!]!\n  nodes: [${node}!]!\n  pageInfo: PageInfo!\n}`);
    return connection;
  }

  /** Values that GraphQL cannot name cross as strings. */
  private enumeration(name: string, values: readonly string[]): string {
    if (!values.every((value) => /^(?!true$|false$|null$)[_A-Za-z][_0-9A-Za-z]*$/.test(value))) return 'String';
    this.definitions.set(name, `enum ${name} {\n${values.map((value) => `  ${value}`).join('\n')}\n}`);
    return name;
  }
}
