import type { z } from 'zod';
import type { FieldViolation } from './refusal.js';

/** Every field of a value that does not fit its schema, and why. */
export function violationsOf({ issues }: z.ZodError): FieldViolation[] {
  return issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [{ field: fieldPath(issue.path), description: issue.message }];
    return issue.keys.map((key) => ({ field: fieldPath([...issue.path, key]), description: 'is not a field of this request' }));
  });
}

/** The same in one sentence. */
export const inOneSentence = (violations: readonly FieldViolation[]): string =>
  violations.map(({ field, description }) => (field ? `${field}: ${description}` : description)).join('; ');

/** `rows[3].age`, as a caller would write it. */
function fieldPath(path: readonly PropertyKey[]): string {
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? String(part) : `.${String(part)}`)).join('');
}
