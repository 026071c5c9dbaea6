import { RE2JS } from 're2js';
import { invalidArgument } from '../refusals.js';

/** A negative or positive look-ahead at the start of an expression, such as `^(?!\$)`: what the client's own filters use. */
const LEADING_LOOKAHEAD = /^\^\(\?([!=])((?:[^()\\]|\\.)*)\)/;

/**
 * A test whether a text contains a match, in time linear in its length: a client's expression
 * must not be able to stop the server. Look-aheads are known only where they can be tested by
 * themselves, at the start; others, look-behinds and back references are refused.
 */
export function linearRegex(expression: string): (text: string) => boolean {
  const tests: ((text: string) => boolean)[] = [];
  let rest = expression;
  for (let ahead = LEADING_LOOKAHEAD.exec(rest); ahead !== null; ahead = LEADING_LOOKAHEAD.exec(rest)) {
    const inner = compile(`^(?:${ahead[2]})`, expression);
    const wanted = ahead[1] === '=';
    tests.push((text) => inner.matcher(text).find() === wanted);
    rest = `^${rest.slice(ahead[0].length)}`;
  }
  const main = compile(rest, expression);
  return (text) => tests.every((test) => test(text)) && main.matcher(text).find();
}

/** What \d, \w and \s stand for in .NET, where they know all of Unicode, as they are written within brackets. */
const UNICODE: Readonly<Record<string, string>> = { d: '\\p{Nd}', w: '\\p{L}\\p{Mn}\\p{Nd}\\p{Pc}', s: '\\s\\x0b\\x85\\p{Z}' };

/** The same expression with the real server's meaning of its shorthands. */
function withUnicode(expression: string): string {
  let isBracketed = false;
  return expression.replaceAll(/\\(.)|\[\^?\]?|\]/gs, (part, escaped: string | undefined) => {
    if (escaped === undefined) {
      isBracketed = isBracketed ? !part.endsWith(']') : part.startsWith('[');
      return part;
    }
    const all = UNICODE[escaped];
    if (all !== undefined) return isBracketed ? all : `[${all}]`;
    const others = isBracketed ? undefined : UNICODE[escaped.toLowerCase()];
    return others !== undefined && escaped !== escaped.toLowerCase() ? `[^${others}]` : part;
  });
}

function compile(part: string, whole: string): RE2JS {
  try {
    return RE2JS.compile(withUnicode(part));
  } catch (error) {
    throw invalidArgument(`The filter ${whole} cannot be run: ${(error as Error).message}`);
  }
}
