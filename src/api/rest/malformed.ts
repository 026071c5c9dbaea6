import { Refusal } from '../../domain/kit/index.js';

/** What a body is refused with that does not parse: why and where, but nothing of it, since it may hold what no log should. */
export function malformedJson(text: string): Refusal {
  try {
    JSON.parse(text);
  } catch (error) {
    return notJson((error as Error).message.replace(/, (?:\.\.\.)?".*/s, ''));
  }
  // It parses, so what was wrong is a key that would reach into prototypes.
  return new Refusal('INVALID_ARGUMENT', 'The body has a key __proto__ or constructor.prototype, which nothing here takes', { reason: 'INVALID_BODY' });
}

/** The refusal of a body that is not JSON, and why. */
export const notJson = (why: string): Refusal => new Refusal('INVALID_ARGUMENT', `The body is not JSON: ${why}`, { reason: 'MALFORMED_JSON' });
