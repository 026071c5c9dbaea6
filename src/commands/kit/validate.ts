import type { z } from 'zod';
import { Refusal, type FieldViolation } from '../../domain/kit/index.js';
import { words } from './words.js';

/** The input as the schema reads it; a Refusal that names every field that does not fit. */
export function parseInput<Schema extends z.ZodType>(schema: Schema, raw: unknown): z.output<Schema> {
  const parsed = schema.safeParse(raw, { error: words });
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.flatMap(violationsOf);
  throw new Refusal('INVALID_ARGUMENT', fields.map(({ field, description }) => (field ? `${field}: ${description}` : description)).join('; '), {
    reason: 'INVALID_INPUT',
    fields,
  });
}

function violationsOf(issue: z.core.$ZodIssue): FieldViolation[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ field: fieldPath([...issue.path, key]), description: 'is not a field of this request' }));
  }
  return [{ field: fieldPath(issue.path), description: issue.message }];
}

/** `rows[3].age`, as a caller would write it. */
function fieldPath(path: readonly PropertyKey[]): string {
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? String(part) : `.${String(part)}`)).join('');
}
