import DataLoader from 'dataloader';
import { formatTimeUs } from '../../../domain/features/times.js';
import type { Core } from '../../core.js';
import { jsonOf, onlineRequestOf, onlineRows, writeRequestOf, type OnlineRow } from '../../features/json.js';
import { featureStore } from '../../features/store.js';
import type { Observer } from '../../observer.js';
import type { WireContext } from '../../operations.js';
import type { GraphqlContext } from '../context.js';
import type { Resolvers } from '../schema.js';
import { stoppable } from './stoppable.js';

type Arguments = Readonly<Record<string, any>>;
type Entity = Readonly<Record<string, unknown>>;

/** Answers what `featureTypeDefs` declares. */
export function featureResolvers(core: Core, observer: Observer): Resolvers {
  const store = featureStore(core);

  const readOnline = (args: Arguments, context: WireContext): Promise<OnlineRow[]> =>
    observer.observe('graphql', 'ReadOnline', context, async (traced) => {
      const { request, entities } = onlineRequestOf({ ...args, service: args['service'] ?? undefined });
      return onlineRows(await store.readOnline(request, traced), entities);
    });

  /** One read for all entities that a request asks the same features of. */
  function onlineFeatures({ entity, ...question }: Arguments, context: GraphqlContext): Promise<OnlineRow> {
    const load = (entities: readonly Entity[]) => readOnline({ ...question, entities }, context.wire);
    return context.loader(`onlineFeatures ${JSON.stringify(question)}`, () => new DataLoader<Entity, OnlineRow>(load, { cache: false })).load(entity);
  }

  async function* featureValues({ project, group, entities }: Arguments, wire: WireContext, signal: AbortSignal) {
    const { definition, rows } = await store.follow({ project, group, entities }, wire, signal);
    const types = new Map(definition.features.map(({ name, type }) => [name, type]));
    for await (const { entity, timeUs, values, position } of rows) {
      const shown = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, jsonOf(value, types.get(name) ?? 'STRING')]));
      yield { featureValues: { entity, eventTime: timeUs === null ? null : formatTimeUs(timeUs), deleted: timeUs === null, values: shown, position } };
    }
  }

  return {
    Query: {
      readOnline: (_root, args: Arguments, context: GraphqlContext) => readOnline(args, context.wire),
      onlineFeatures: (_root, args: Arguments, context: GraphqlContext) => onlineFeatures(args, context),
    },
    Mutation: {
      writeFeatures: (_root, { input }: Arguments, { wire }: GraphqlContext) =>
        observer.observe('graphql', 'WriteFeatures', wire, async (traced) => store.writer.write(writeRequestOf(withoutPrototype(input)), traced)),
    },
    Subscription: {
      featureValues: { subscribe: (_root, args: Arguments, { wire }: GraphqlContext) => stoppable(wire.signal, (signal) => featureValues(args, wire, signal)) },
    },
  };
}

/** GraphQL's input objects have no prototype, which zod's plain objects do. */
const withoutPrototype = ({ version, ...input }: Arguments): object => ({ ...input, ...(typeof version === 'number' && { version }), rows: input['rows'].map((row: object) => ({ ...row })) });
