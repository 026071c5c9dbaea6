import { RE2JS } from 're2js';

/** Whether the whole of a text matches; its time grows with the text's length only, whatever the pattern. */
export type Matcher = (text: string) => boolean;

const compiled = new Map<string, Matcher>();

/** Compiles a pattern in RE2's syntax; throws the library's error for one that it does not take. */
export function matcherOf(pattern: string): Matcher {
  let matcher = compiled.get(pattern);
  if (!matcher) {
    const expression = RE2JS.compile(pattern);
    matcher = (text) => expression.matches(text);
    if (compiled.size > 10_000) compiled.clear();
    compiled.set(pattern, matcher);
  }
  return matcher;
}

/** Why a pattern cannot be used, or undefined when it can. */
export function patternFault(pattern: string): string | undefined {
  try {
    matcherOf(pattern);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
