import { Refusal } from '../../../domain/kit/index.js';
import type { Core } from '../../core.js';
import { asOfJson, asOfRequestOf, cellOf, historicalQuestionOf, knownJson } from '../../features/history-json.js';
import { featureHistory, tablesOf } from '../../features/history.js';
import type { Observer } from '../../observer.js';
import type { GraphqlContext } from '../context.js';
import type { Resolvers } from '../schema.js';
import { refuseRounded } from './rounded.js';

/** The most rows of a training set in one GraphQL answer, which is held in memory whole; the other wires stream. */
export const mostRows = 10_000;

export const featureHistoryTypeDefs = `
"""What counts as known, so that late and backfilled rows cannot leak into the past; all that is set holds together."""
input KnownAtInput {
  """Only what had been recorded by this moment."""
  time: String
  """Only what had been written up to this position of the log."""
  position: String
  """For each row only what had been recorded by the row's own time."""
  rowTime: Boolean = false
}

input GroupAliasInput {
  alias: String!
  group: String!
  """Key of the group → column of the rows."""
  keyColumns: JSON = {}
}

type AsOfAnswer {
  rows: [OnlineRow!]!
  """Asked again with this, the answer is the same."""
  knownAt: JSON!
}

type TrainingSet {
  """The rows asked for, in their order, with the features beside their own columns."""
  rows: [JSON!]!
  """Asked again with this, the rows are the same."""
  knownAt: JSON!
}

extend type Query {
  """The values of a few entities at a past moment, read from the log."""
  readAsOf(
    """The name of the project."""
    project: String!
    """group:feature, or a group for all its features; likewise of transformations."""
    features: [String!] = []
    """In place of features: those that the service names."""
    service: String
    """The keys of each entity, by their names."""
    entities: [JSON!]!
    """Calls the columns group__feature, so that two groups may have features of one name."""
    fullNames: Boolean = false
    """The moment; now where it is left out."""
    at: String
    """What counts as known: what had been written by then; all that is written by now where it is left out."""
    knownAt: KnownAtInput
  ): AsOfAnswer
  """A training set of at most ${mostRows} rows; the other wires stream larger ones."""
  historicalFeatures(
    """The name of the project."""
    project: String!
    """group:feature, or a group for all its features; likewise of transformations."""
    features: [String!] = []
    """In place of features: those that the service names."""
    service: String
    """The rows to join features to: the keys of their entities, their times, and whatever else is to be kept."""
    rows: [JSON!]!
    """The column with the times of the rows; event_time where it is left out."""
    timeColumn: String = "event_time"
    """The unit of times that are numbers."""
    timeUnit: String
    """Other names for groups, so that one can be joined twice."""
    aliases: [GroupAliasInput!] = []
    """Calls the columns group__feature, so that two groups may have features of one name."""
    fullNames: Boolean = false
    """What counts as known: what had been written by then; all that is written by now where it is left out."""
    knownAt: KnownAtInput
  ): TrainingSet
}
`;

type Arguments = Readonly<Record<string, any>>;

/** Answers what `featureHistoryTypeDefs` declares. */
export function featureHistoryResolvers(core: Core, observer: Observer): Resolvers {
  const history = featureHistory(core);
  return {
    Query: {
      readAsOf: (_root, args: Arguments, { wire }: GraphqlContext) =>
        observer.observe('graphql', 'ReadAsOf', wire, async (context) => {
          const { request, entities } = asOfRequestOf(given(args));
          return asOfJson(await history.readAsOf(request, context), entities);
        }),
      historicalFeatures: (_root, args: Arguments, { wire }: GraphqlContext) =>
        observer.observe('graphql', 'GetHistoricalFeatures', wire, async (context) => {
          if (args['rows'].length > mostRows) throw new Refusal('INVALID_ARGUMENT', `GraphQL takes at most ${mostRows} rows; the other wires stream`, { reason: 'TOO_MANY_ROWS' });
          refuseRounded(args['rows']);
          const answer = await history.historical(historicalQuestionOf(given(args)), context);
          const rows: object[] = [];
          for await (const table of tablesOf(answer)) {
            for (let row = 0; row < table.rows; row++) rows.push(Object.fromEntries(table.columns.map((column) => [column.name, cellOf(column, row)])));
          }
          return { rows, knownAt: knownJson(answer.known) };
        }),
    },
  };
}

/** What the caller gave, as plain objects: GraphQL's have no prototype, and say null for what is left out. */
export function given(value: any): any {
  if (Array.isArray(value)) return value.map(given);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([name, part]) => (part === null && optional.has(name) ? [] : [[name, plainParts.has(name) ? part : given(part)]])));
}

const optional = new Set(['service', 'timeUnit', 'at', 'knownAt', 'time', 'position', 'rowTime', 'rows', 'start', 'end']);
/** Values of the JSON scalar stay as they came. */
const plainParts = new Set(['rows', 'entities', 'keyColumns', 'tags']);
