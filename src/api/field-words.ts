import type { Field } from './fields.js';

/** What fields of inputs mean that mean the same wherever they stand. A definition that says more of its own field by `.describe` is heard first. */
const words: Readonly<Record<string, string>> = {
  project: 'The name of the project.',
  group: 'The name of the feature group.',
  service: 'The name of the feature service.',
  transformation: 'The name of the transformation.',
  pipeline: 'The name of the pipeline.',
  trainingSet: 'The name of the training set.',
  check: 'The name of the drift check.',
  run: 'The name of the run.',
  view: 'The name of the read model, such as feature-online.',
  id: 'The id that an earlier answer gave.',
  key: 'The parked key, as ListParkedKeys names it.',
  description: 'What it is, for people.',
  owner: 'Who answers for it.',
  tags: 'Labels for people and filters: a name and a value each, at most 64.',
  reason: 'Why, for whoever reads the log later.',
  entity: 'The keys of the entity, each by its name.',
  ttlSeconds: 'Seconds after which a value is too old; 0 for never.',
  fullNames: 'Calls the columns group__feature, so that two groups may have features of one name.',
  tests: 'Which measures are taken, and from which value on they count as drift.',
  start: 'The first event time of the window; it belongs to it.',
  end: 'The event time at which the window ends; it does not belong to it.',
  current: 'The window of event times that is judged.',
  reference: 'The window of event times that it is compared with.',
};

/** What a field of this name means everywhere; undefined where it means one thing here and another there. */
export const wordsOf = (name: string): string | undefined => (Object.hasOwn(words, name) ? words[name] : undefined);

/** The field with what it means, where its definition left that to its name. */
export function withWords(field: Field): Field {
  const description = field.description ?? wordsOf(field.name);
  return description === undefined ? field : { ...field, description };
}
