import type { Core } from '../../core.js';
import { quarantineCommands } from '../../features/quarantine.js';
import type { Observer } from '../../observer.js';
import type { GraphqlContext } from '../context.js';
import type { Resolvers } from '../schema.js';

/** Mending and discarding refused rows; they are listed by derived fields. */
export const quarantineTypeDefs = `
input MendQuarantinedRowInput {
  """The name of the project."""
  project: String!
  """The id of the row, as quarantinedRows gives it."""
  id: ID!
  """Key values in place of those that the row holds; what is not named stays."""
  entity: JSON = {}
  """Its event time, in place of the one it holds."""
  eventTime: String
  """Values in place of those that the row holds; what is not named stays."""
  values: JSON = {}
  """Keys and features that the row should not name at all."""
  without: [String!] = []
  """What is given is all of the row: nothing that it held stays."""
  whole: Boolean = false
}

input DiscardQuarantinedRowsInput {
  """The name of the project."""
  project: String!
  """The ids of the rows."""
  ids: [ID!]!
  """Why, for whoever reads the log later."""
  reason: String!
}

type DiscardQuarantinedRowsReply {
  discarded: Int!
  """The position of the event that says who decided it and why."""
  position: String!
}

extend type Mutation {
  """Writes a refused row again with other values; it leaves the quarantine when it is written."""
  mendQuarantinedRow(input: MendQuarantinedRowInput!): WriteFeaturesReply!
  """Gives refused rows up; the log says who decided it and why."""
  discardQuarantinedRows(input: DiscardQuarantinedRowsInput!): DiscardQuarantinedRowsReply!
}
`;

type Arguments = Readonly<{ input: object }>;

/** Answers what `quarantineTypeDefs` declares. */
export function quarantineResolvers(core: Core, observer: Observer): Resolvers {
  const commands = quarantineCommands(core);
  return {
    Mutation: {
      mendQuarantinedRow: (_root, { input }: Arguments, { wire }: GraphqlContext) => observer.observe('graphql', 'MendQuarantinedRow', wire, (traced) => commands.mend(given(input), traced)),
      discardQuarantinedRows: (_root, { input }: Arguments, { wire }: GraphqlContext) => observer.observe('graphql', 'DiscardQuarantinedRows', wire, (traced) => commands.discard(given(input), traced)),
    },
  };
}

/** GraphQL's input objects have no prototype, which zod's plain objects do; null is how it says that nothing is given. */
const given = (input: object): object => Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null));
