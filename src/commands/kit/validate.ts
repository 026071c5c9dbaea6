import type { z } from 'zod';
import { inOneSentence, Refusal, violationsOf, words } from '../../domain/kit/index.js';

/** The input as the schema reads it; a Refusal that names every field that does not fit. */
export function parseInput<Schema extends z.ZodType>(schema: Schema, raw: unknown): z.output<Schema> {
  const parsed = schema.safeParse(raw, { error: words });
  if (parsed.success) return parsed.data;
  const fields = violationsOf(parsed.error);
  throw new Refusal('INVALID_ARGUMENT', inOneSentence(fields), { reason: 'INVALID_INPUT', fields });
}
