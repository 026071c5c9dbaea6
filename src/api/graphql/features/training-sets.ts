import { Refusal } from '../../../domain/kit/index.js';
import type { Core } from '../../core.js';
import { cellOf, knownJson } from '../../features/history-json.js';
import { saveRequestOf } from '../../features/training-set-json.js';
import { saveTrainingSet, trainingSetRows } from '../../features/training-sets.js';
import type { Observer } from '../../observer.js';
import type { GraphqlContext } from '../context.js';
import type { Resolvers } from '../schema.js';
import { refuseRounded } from './rounded.js';
import { given, mostRows } from './history.js';

export const trainingSetTypeDefs = `
input SaveTrainingSetInput {
  """The name of the project."""
  project: String!
  """The name of the training set."""
  trainingSet: String!
  """Who answers for it."""
  owner: String = ""
  """What it is, for people."""
  description: String = ""
  """Labels for people and filters: a name and a value each, at most 64."""
  tags: JSON = {}
  """Keeps the rows themselves beside the log; otherwise only their hash."""
  storeRows: Boolean = false
  """group:feature, or a group for all its features; likewise of transformations."""
  features: [String!] = []
  """In place of features: those that the service names."""
  service: String
  """The rows to join features to, at most ${mostRows}; without them all entities of the range."""
  rows: [JSON!]
  """The column with the times of the rows; event_time where it is left out."""
  timeColumn: String = "event_time"
  """What times count that are numbers: seconds, milliseconds, microseconds or nanoseconds."""
  timeUnit: String
  """Other names for groups, so that one can be joined twice."""
  aliases: [GroupAliasInput!] = []
  """Calls the columns group__feature, so that two groups may have features of one name."""
  fullNames: Boolean = false
  """What counts as known: what had been written by then; all that is written by now where it is left out."""
  knownAt: KnownAtInput
  """Without rows: the first event time of a range, which belongs to it."""
  start: String
  """Its last event time, which belongs to it too."""
  end: String
}

type SaveTrainingSetReply {
  commandId: ID!
  position: String!
  etag: String!
  """False when the question had been saved under this name already."""
  changed: Boolean!
  rows: Int!
  """SHA-256 of the columns and rows."""
  hash: String!
  """The position at which the question was answered."""
  knownAt: String!
}

type TrainingSetRows {
  rows: [JSON!]!
  knownAt: JSON!
  """An entity of its groups was deleted since: rows may lack values that they had."""
  deletedSince: Boolean!
}

extend type Mutation {
  """Answers a question and saves it with the hash of its rows."""
  saveTrainingSet(input: SaveTrainingSetInput!): SaveTrainingSetReply!
}

extend type Query {
  """The rows of a saved training set of at most ${mostRows} rows; the other wires stream larger ones."""
  trainingSetRows(
    """The name of the project."""
    project: String!
    """The name of the training set."""
    trainingSet: String!
  ): TrainingSetRows
}
`;

type Arguments = Readonly<Record<string, any>>;

/** Answers what `trainingSetTypeDefs` declares. */
export function trainingSetResolvers(core: Core, observer: Observer): Resolvers {
  return {
    Mutation: {
      saveTrainingSet: (_root, { input }: Arguments, { wire }: GraphqlContext) =>
        observer.observe('graphql', 'SaveTrainingSet', wire, async (context) => {
          if (input['rows']?.length > mostRows) throw tooMany();
          refuseRounded(input['rows']);
          return saveTrainingSet(core, saveRequestOf(given(input)), context);
        }),
    },
    Query: {
      trainingSetRows: (_root, args: Arguments, { wire }: GraphqlContext) =>
        observer.observe('graphql', 'DownloadTrainingSet', wire, async (context) => {
          const { tables, known, deletedSince } = await trainingSetRows(core, { project: args['project'], trainingSet: args['trainingSet'] }, context);
          const rows: object[] = [];
          for await (const table of tables) {
            if (rows.length + table.rows > mostRows) throw tooMany();
            for (let row = 0; row < table.rows; row++) rows.push(Object.fromEntries(table.columns.map((column) => [column.name, cellOf(column, row)])));
          }
          return { rows, knownAt: knownJson(known), deletedSince };
        }),
    },
  };
}

const tooMany = () => new Refusal('INVALID_ARGUMENT', `GraphQL takes and gives at most ${mostRows} rows; the other wires stream`, { reason: 'TOO_MANY_ROWS' });
