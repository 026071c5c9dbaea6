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
  project: String!
  trainingSet: String!
  owner: String = ""
  description: String = ""
  tags: JSON = {}
  """Keeps the rows themselves beside the log; otherwise only their hash."""
  storeRows: Boolean = false
  features: [String!] = []
  service: String
  """The rows to join features to, at most ${mostRows}; without them all entities of the range."""
  rows: [JSON!]
  timeColumn: String = "event_time"
  """What times count that are numbers: seconds, milliseconds, microseconds or nanoseconds."""
  timeUnit: String
  aliases: [GroupAliasInput!] = []
  fullNames: Boolean = false
  knownAt: KnownAtInput
  start: String
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
  trainingSetRows(project: String!, trainingSet: String!): TrainingSetRows
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
