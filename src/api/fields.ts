import { z } from 'zod';

/** What a field holds, in the few kinds that all three wires can say. */
export type Kind =
  | { readonly kind: 'string' | 'boolean' | 'number' | 'datetime' | 'bytes' | 'json' }
  | { readonly kind: 'integer'; readonly min?: number; readonly max?: number }
  | { readonly kind: 'enum'; readonly name?: string; readonly values: readonly string[] }
  | { readonly kind: 'list' | 'map'; readonly of: Kind }
  | { readonly kind: 'object'; readonly name?: string; readonly fields: readonly Field[] };

/** One field of an input or output. */
export interface Field {
  readonly name: string;
  readonly kind: Kind;
  /** May be left out, or be null. */
  readonly optional: boolean;
  readonly default?: unknown;
  readonly description?: string;
}

type JsonSchema = z.core.JSONSchema.JSONSchema;

/** The fields of a schema as a caller writes them (`input`) or reads them (`output`): the one source of every wire's types. */
export function fieldsOf(schema: z.ZodObject, io: 'input' | 'output'): readonly Field[] {
  const document = jsonSchemaOf(schema, io);
  const definitions = document.$defs ?? {};
  const root = kindOf(document, definitions, []);
  if (root.kind !== 'object') throw new Error(`An ${io} must be an object with named fields`);
  return root.fields;
}

/** The JSON Schema of a zod schema; what JSON Schema cannot say is left open. */
export const jsonSchemaOf = (schema: z.ZodType, io: 'input' | 'output'): JsonSchema =>
  z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as JsonSchema;

function kindOf(schema: JsonSchema, definitions: Record<string, JsonSchema>, within: readonly string[]): Kind {
  if (schema.$ref) {
    const name = schema.$ref.replace('#/$defs/', '');
    const target = definitions[name];
    // A type that holds itself has no finite list of fields; it crosses as plain JSON.
    if (!target || within.includes(name)) return { kind: 'json' };
    const kind = kindOf(target, definitions, [...within, name]);
    return kind.kind === 'object' || kind.kind === 'enum' ? { name, ...kind } : kind;
  }
  const choices = (schema.anyOf ?? schema.oneOf)?.filter((choice) => (choice as JsonSchema).type !== 'null') as JsonSchema[] | undefined;
  if (choices) return choices.length === 1 ? kindOf(choices[0]!, definitions, within) : { kind: 'json' };
  if (schema.enum && schema.enum.every((value) => typeof value === 'string')) return { kind: 'enum', values: schema.enum };
  switch (typeOf(schema)) {
    case 'string':
      if (schema.format === 'date-time') return { kind: 'datetime' };
      return schema.contentEncoding === 'base64' || schema.format === 'base64' ? { kind: 'bytes' } : { kind: 'string' };
    case 'integer':
      return { kind: 'integer', min: schema.minimum, max: schema.maximum };
    case 'number':
      return { kind: 'number' };
    case 'boolean':
      return { kind: 'boolean' };
    case 'array':
      return schema.items && !Array.isArray(schema.items) ? { kind: 'list', of: kindOf(schema.items as JsonSchema, definitions, within) } : { kind: 'list', of: { kind: 'json' } };
    case 'object':
      return objectKind(schema, definitions, within);
    default:
      return { kind: 'json' };
  }
}

/** A plain type that may be null stands as a pair: `["number", "null"]`. */
const typeOf = (schema: JsonSchema): unknown => (includesNull(schema) ? (schema.type as unknown as unknown[]).find((one) => one !== 'null') : schema.type);
const includesNull = ({ type }: JsonSchema): boolean => Array.isArray(type) && type.length === 2 && (type as unknown[]).includes('null');

function objectKind(schema: JsonSchema, definitions: Record<string, JsonSchema>, within: readonly string[]): Kind {
  if (!schema.properties) {
    const values = schema.additionalProperties;
    return typeof values === 'object' ? { kind: 'map', of: kindOf(values as JsonSchema, definitions, within) } : { kind: 'json' };
  }
  const fields = Object.entries(schema.properties).map(([name, property]): Field => {
    const value = property as JsonSchema;
    const nullable = includesNull(value) || [value.anyOf, value.oneOf].some((choices) => choices?.some((choice) => (choice as JsonSchema).type === 'null'));
    return {
      name,
      kind: kindOf(value, definitions, within),
      optional: nullable || !schema.required?.includes(name),
      ...(value.default !== undefined && { default: value.default }),
      ...(value.description !== undefined && { description: value.description }),
    };
  });
  return { kind: 'object', fields };
}
