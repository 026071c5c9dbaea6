import { Refusal } from '../../../domain/kit/index.js';

/**
 * The fields of a question for a training set as a query string gives them, beside rows that fill the body:
 * `features` once for each feature, `knownAt.position`, `knownAt.time` and `knownAt.rowTime`, and an alias as
 * `alias=origin:airports:airport=origin` (alias, group, and each key with its column).
 */
export function historyFieldsOf(query: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { features, alias, fullNames, ...rest } = query;
  const known = Object.fromEntries(
    ['position', 'time', 'rowTime'].flatMap((part) => (query[`knownAt.${part}`] === undefined ? [] : [[part, part === 'rowTime' ? truth(query[`knownAt.${part}`]) : query[`knownAt.${part}`]]])),
  );
  const others = Object.entries(rest).filter(([name]) => !name.startsWith('knownAt.'));
  return {
    ...Object.fromEntries(others),
    features: listOf(features),
    ...(alias !== undefined && { aliases: listOf(alias).map(aliasOf) }),
    ...(fullNames !== undefined && { fullNames: truth(fullNames) }),
    ...(Object.keys(known).length > 0 && { knownAt: known }),
  };
}

const listOf = (given: unknown): unknown[] => (given === undefined ? [] : Array.isArray(given) ? given : [given]);

const truth = (given: unknown): unknown => (given === 'true' ? true : given === 'false' ? false : given);

function aliasOf(text: unknown): { alias: string; group: string; keyColumns: Record<string, string> } {
  const [alias, group, ...pairs] = String(text).split(':');
  const keyColumns = pairs.map((pair) => pair.split('='));
  if (group !== undefined && keyColumns.every(({ length }) => length === 2)) return { alias: alias!, group, keyColumns: Object.fromEntries(keyColumns) };
  throw new Refusal('INVALID_ARGUMENT', 'alias takes alias:group, then :key=column for each key', { reason: 'INVALID_INPUT', fields: [{ field: 'alias', description: 'takes alias:group, then :key=column for each key' }] });
}
