/** Who may call a method at all: anybody, whoever has logged in (streams have rules of their own), or the members of groups. */
export type MethodRule = 'anybody' | 'user' | readonly string[];

const OPERATORS = ['$admins', '$ops'] as const;
const ADMINISTRATORS = ['$admins'] as const;

/** By service, and by method where it differs. */
const RULES: Readonly<Record<string, MethodRule>> = {
  'gossip.Gossip': 'anybody',
  'server_features.ServerFeatures': 'anybody',
  'streams.Streams': 'user',
  'persistent_subscriptions.PersistentSubscriptions': OPERATORS,
  // Who may read the stream may read it in a group.
  'persistent_subscriptions.PersistentSubscriptions/Read': 'user',
  'persistent_subscriptions.PersistentSubscriptions/GetInfo': 'user',
  'persistent_subscriptions.PersistentSubscriptions/List': 'user',
  'projections.Projections': OPERATORS,
  'projections.Projections/Statistics': 'user',
  'projections.Projections/State': 'user',
  'projections.Projections/Result': 'user',
  'operations.Operations': OPERATORS,
  'users.Users': ADMINISTRATORS,
  // Everybody may change their own password, and see who they are.
  'users.Users/ChangePassword': 'user',
  'users.Users/Details': 'user',
};

/** The rule for a path such as `/event_store.client.streams.Streams/Read`. What has no rule is for administrators. */
export function methodRule(path: string): MethodRule {
  const method = path.replace('/event_store.client.', '');
  return RULES[method] ?? RULES[method.slice(0, method.indexOf('/'))] ?? ADMINISTRATORS;
}
