/** What the feature store adds to GraphQL by hand. */
export const featureTypeDefs = `
input FeatureRowInput {
  """Key values by name."""
  entity: JSON!
  """ISO 8601; without a zone it is UTC."""
  eventTime: String!
  """Values by feature; one that is left out is null."""
  values: JSON!
}

enum WriteMode {
  ONLINE
  OFFLINE
  BOTH
}

input WriteFeaturesInput {
  """The name of the project."""
  project: String!
  """The name of the feature group."""
  group: String!
  """Which version of the group; the promoted one where it is left out."""
  version: Int
  """For which reads the rows are stored; for both where it is left out."""
  mode: WriteMode = BOTH
  """Stores the good rows although there are bad ones."""
  partial: Boolean = false
  """Keeps the bad rows for mending, and stores the good ones."""
  quarantine: Boolean = false
  """The rows, each with its entity, event time and values."""
  rows: [FeatureRowInput!]!
}

type WriteFeaturesReply {
  commandId: ID!
  """The position of the last event; empty when no row was good."""
  position: String!
  rowsWritten: Int!
  rowsRejected: Int!
  """How many of the rejected rows are kept for mending."""
  rowsQuarantined: Int!
  """What is wrong with the rejected rows; the first hundred faults."""
  faults: [RowFault!]!
}

type RowFault {
  row: Int!
  field: String!
  description: String!
}

"""The latest values of one entity."""
type OnlineRow {
  entity: JSON!
  """Values by feature."""
  values: JSON!
  """By feature: PRESENT, NULL_VALUE, NOT_FOUND or OUTSIDE_MAX_AGE."""
  statuses: JSON!
  """By group, when its values were true; null where the entity is not there."""
  eventTimes: JSON!
}

"""A new latest row of an entity, or none where it has been deleted."""
type FeatureValues {
  entity: JSON!
  """Null where the entity has been deleted."""
  eventTime: String
  deleted: Boolean!
  values: JSON!
  """The position of the event that holds it."""
  position: String!
}

extend type Query {
  """The latest values of many entities, in their order."""
  readOnline(
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
  ): [OnlineRow!]
  """The latest values of one entity; all such questions of one request are answered together."""
  onlineFeatures(
    """The name of the project."""
    project: String!
    """group:feature, or a group for all its features; likewise of transformations."""
    features: [String!] = []
    """In place of features: those that the service names."""
    service: String
    """The keys of the entity, by their names."""
    entity: JSON!
    """Calls the columns group__feature, so that two groups may have features of one name."""
    fullNames: Boolean = false
  ): OnlineRow
}

extend type Mutation {
  """Stores rows of a feature group."""
  writeFeatures(input: WriteFeaturesInput!): WriteFeaturesReply!
}

extend type Subscription {
  """New values of chosen entities, as they are written."""
  featureValues(
    """The name of the project."""
    project: String!
    """The name of the feature group."""
    group: String!
    """The keys of each entity, by their names."""
    entities: [JSON!]!
  ): FeatureValues!
}
`;
