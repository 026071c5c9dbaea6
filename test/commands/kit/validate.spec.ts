import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { parseInput } from '../../../src/commands/kit/validate.js';

const said = (schema: z.ZodType, raw: unknown): string => {
  try {
    parseInput(schema, raw);
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing';
};

test.each([
  ['is missing', z.object({ name: z.string(), mode: z.enum(['A', 'B']) }), {}, 'name: is required; mode: is required'],
  ['is of another kind', z.object({ name: z.string(), count: z.int(), flag: z.boolean() }), { name: 5, count: 'x', flag: null }, 'name: takes a text, not a number; count: takes a number, not a text; flag: takes true or false, not null'],
  ['is no whole number', z.object({ count: z.int() }), { count: 1.5 }, 'count: takes a whole number, not a number'],
  ['is out of bounds', z.object({ pageSize: z.int().min(1), share: z.number().lt(1), name: z.string().max(3), list: z.array(z.int()).min(1) }), { pageSize: 0, share: 1, name: 'abcd', list: [] }, 'pageSize: takes at least 1; share: takes less than 1; name: takes at most 3 characters; list: takes at least 1 elements'],
  ['is none of the choices', z.object({ mode: z.enum(['A', 'B']), kind: z.literal('X') }), { mode: 'C', kind: 'Y' }, 'mode: takes one of A, B; kind: takes X'],
  ['is within a list', z.object({ rows: z.array(z.object({ age: z.int() })) }), { rows: [{ age: 1 }, {}] }, 'rows[1].age: is required'],
  ['has a schema with words of its own', z.object({ name: z.string().regex(/^a/, 'takes what begins with a') }), { name: 'b' }, 'name: takes what begins with a'],
])('a field that %s is told so in words', (_what, schema, raw, message) => {
  expect(said(schema, raw)).toBe(message);
});
