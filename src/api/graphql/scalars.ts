import { GraphQLError, valueFromASTUntyped, type ValueNode } from 'graphql';

const timeShape = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

const dateTime = {
  serialize: (value: unknown) => (value instanceof Date ? value.toISOString() : value),
  parseValue: (value: unknown) => {
    if (typeof value === 'string' && timeShape.test(value)) return value;
    throw new GraphQLError('DateTime takes a moment in ISO 8601, such as 2026-01-31T12:00:00Z');
  },
};

const long = {
  serialize: (value: unknown) => Number(value),
  parseValue: (value: unknown) => {
    if (Number.isSafeInteger(value)) return value;
    throw new GraphQLError('Long takes a whole number of up to 53 bits');
  },
};

const json = { serialize: (value: unknown) => value, parseValue: (value: unknown) => value };

/** The scalars beside GraphQL's own. */
export const scalars = Object.fromEntries(
  Object.entries({ DateTime: dateTime, Long: long, JSON: json }).map(([name, scalar]) => [
    name,
    { ...scalar, parseLiteral: (node: ValueNode, variables?: Record<string, unknown> | null) => scalar.parseValue(valueFromASTUntyped(node, variables)) },
  ]),
);
