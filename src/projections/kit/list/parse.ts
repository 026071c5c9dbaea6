import { Refusal } from '../../../domain/kit/index.js';

/** How a field and a value are compared; `:` is "has": a text holds another, tags hold a name. */
export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | ':';

/** One condition of a filter: a comparison, or a text to be found anywhere. */
export type Term = { readonly field: string; readonly operator: Operator; readonly value: string } | { readonly text: string };

/** The most conditions of one filter. */
const mostTerms = 20;

const token = /\s*(?:"((?:[^"\\]|\\["\\])*)"|(!=|<=|>=|=|<|>|:)|([\p{L}\p{N}_.@+/-]+)|(\S))/uy;

type Token = { readonly kind: 'quoted' | 'operator' | 'word'; readonly text: string };

/**
 * Reads a filter: conditions that all must hold, with or without AND between them, as in AIP-160. A condition is
 * `field = value`, `!=`, `<`, `<=`, `>`, `>=`, `field : value`, or a lone text. Values are words, or in double quotes
 * with \" and \\ inside. There is no OR, no NOT and no nesting, so every filter is one scan.
 */
export function parseFilter(filter: string): Term[] {
  const tokens = tokensOf(filter);
  const terms: Term[] = [];
  for (let at = 0; at < tokens.length; ) {
    if (isWord(tokens[at], 'AND')) {
      if (at === 0 || at === tokens.length - 1 || isWord(tokens[at + 1], 'AND')) refuseFilter('has an AND that joins nothing');
      at++;
      continue;
    }
    const [first, operator, value] = [tokens[at]!, tokens[at + 1], tokens[at + 2]];
    if (first.kind === 'operator') refuseFilter(`has ${first.text} without a field before it`);
    if (isWord(first, 'OR') || isWord(first, 'NOT')) refuseFilter(`knows no ${first.text}; all its conditions must hold`);
    if (operator?.kind !== 'operator') {
      terms.push({ text: first.text });
      at++;
      continue;
    }
    if (first.kind !== 'word') refuseFilter('has a text in quotes where a field stands');
    if (value === undefined || value.kind === 'operator' || isWord(value, 'AND')) refuseFilter(`has no value after ${first.text} ${operator.text}`);
    terms.push({ field: first.text, operator: operator.text as Operator, value: value.text });
    at += 3;
  }
  if (terms.length > mostTerms) refuseFilter(`has ${terms.length} conditions; the most are ${mostTerms}`);
  return terms;
}

function tokensOf(filter: string): Token[] {
  const tokens: Token[] = [];
  const text = filter.trimEnd();
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const from = token.lastIndex;
    const [, quoted, operator, word, other] = token.exec(text) ?? [];
    if (quoted !== undefined) tokens.push({ kind: 'quoted', text: quoted.replaceAll(/\\(["\\])/g, '$1') });
    else if (operator !== undefined) tokens.push({ kind: 'operator', text: operator });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word });
    else refuseFilter(other === '"' ? `has a quote at ${from + 1} that does not end, or a \\ in it before another sign than " and \\` : `has ${other ?? 'something'} at ${from + 1}, which must stand in quotes`);
  }
  return tokens;
}

const isWord = (one: Token | undefined, text: string): boolean => one?.kind === 'word' && one.text === text;

/** Says what is wrong with a filter. */
export function refuseFilter(description: string): never {
  throw new Refusal('INVALID_ARGUMENT', `filter ${description}`, { reason: 'INVALID_FILTER', fields: [{ field: 'filter', description }] });
}
