import type { z } from 'zod';

const kinds: Record<string, string> = { string: 'a text', number: 'a number', int: 'a whole number', boolean: 'true or false', array: 'a list', object: 'an object', record: 'an object' };
const parts: Record<string, string> = { string: 'characters', array: 'elements' };

/** What is said of a field that does not fit, where its schema has no words of its own. */
export function words(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is required' : kinds[issue.expected] && `takes ${kinds[issue.expected]}, not ${kindOf(issue.input)}`;
    case 'too_small':
      return bound(issue.origin, issue.minimum, issue.inclusive === false ? 'more than' : 'at least');
    case 'too_big':
      return bound(issue.origin, issue.maximum, issue.inclusive === false ? 'less than' : 'at most');
    case 'invalid_value':
      return issue.input === undefined ? 'is required' : `takes ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.join(', ')}`;
    default:
      return undefined;
  }
}

const bound = (origin: string, limit: number | bigint, relation: string): string => `takes ${relation} ${[limit, parts[origin]].filter((part) => part !== undefined).join(' ')}`;

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return kinds[Array.isArray(value) ? 'array' : typeof value] ?? typeof value;
}
