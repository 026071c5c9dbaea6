import type { Dispatcher } from '../dispatcher.js';
import type { Operation } from '../operations.js';
import { connectionOf, listFieldOf, pageRequest } from './connection.js';
import type { GraphqlContext } from './context.js';
import { fieldName, type Resolvers } from './schema.js';

type Arguments = Record<string, unknown>;

/** The root fields of the schema, derived from the same definitions as its text. */
export function resolversOf(operations: readonly Operation[], dispatcher: Dispatcher): Resolvers {
  const resolvers: Record<'Query' | 'Mutation', Record<string, (root: unknown, args: Arguments, context: GraphqlContext) => Promise<unknown>>> = { Query: {}, Mutation: {} };
  for (const operation of operations) {
    const run = (input: () => unknown, context: GraphqlContext) => dispatcher.run('graphql', operation, input, context.wire);
    if (operation.kind !== 'query') resolvers.Mutation[fieldName(operation)] = (_root, { input }, context) => run(() => withoutNulls(input), context);
    else {
      const list = listFieldOf(operation);
      resolvers.Query[fieldName(operation)] = (_root, args, context) =>
        context.once(`${operation.name} ${JSON.stringify(args)}`, () => (list ? page(list, args, (input) => run(() => input, context)) : run(() => withoutNulls(args), context)));
    }
  }
  return resolvers as Resolvers;
}

async function page(list: string, { first, after, ...rest }: Arguments, ask: (input: object) => Promise<unknown>) {
  const { pageSize, pageToken, cursor } = pageRequest({ first: first as number, after: after as string });
  const answer = (await ask({ ...(withoutNulls(rest) as object), pageSize, pageToken })) as Record<string, unknown>;
  return connectionOf(answer[list] as unknown[], answer.nextPageToken as string, cursor);
}

/** GraphQL clients write null for what they leave out. */
function withoutNulls(input: unknown): unknown {
  if (Array.isArray(input)) return input.map(withoutNulls);
  if (typeof input !== 'object' || input === null || input instanceof Date) return input;
  return Object.fromEntries(Object.entries(input).flatMap(([key, value]) => (value === null ? [] : [[key, withoutNulls(value)]])));
}
