import type { Filterable, FilterField } from './where.js';

/** Fields of each kind, with how they are compared. */
const comparisons: Readonly<Record<FilterField['kind'], (names: string) => string>> = {
  text: (names) => `${names} (texts: =, !=, or : for a part)`,
  boolean: (names) => `${names} (true or false: =, !=)`,
  time: (names) => `${names} (times: =, !=, <, <=, >, >=)`,
  tags: (names) => `${names} (${names}.tier = "1", or ${names} : tier)`,
};

/** What a list may be filtered by, in a sentence for its callers. */
export function describeFilter({ fields }: Pick<Filterable, 'fields'>): string {
  const known = (Object.keys(comparisons) as FilterField['kind'][]).flatMap((kind) => {
    const names = Object.keys(fields).filter((name) => fields[name]!.kind === kind);
    return names.length > 0 ? [comparisons[kind](names.join(', '))] : [];
  });
  return `Conditions that all must hold, and texts to be found anywhere. Fields: ${known.join('; ')}.`;
}

/** What a list may be sorted by. */
export const describeOrder = (order: Readonly<Record<string, unknown>>): string =>
  `One of ${Object.keys(order).join(', ')}, with desc behind it for the other direction; by name where it is left out.`;
