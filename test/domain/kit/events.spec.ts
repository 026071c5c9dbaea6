import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { decode, defineEvent } from '../../../src/domain/kit/index.js';

const happened = defineEvent('Happened', z.object({ project: z.string(), count: z.int() }), [(older) => ({ count: 0, ...older })]);

test('an event is brought up to the latest version', () => {
  expect(decode(happened, 1, { project: 'p' })).toEqual({ type: 'Happened', data: { project: 'p', count: 0 } });
});

test('one that does not fit says which fields, in one sentence', () => {
  expect(() => decode(happened, 2, { project: 5 })).toThrow(/^Happened of version 2 cannot be decoded: project: takes a text, not a number; count: is required$/);
});

test('one of a newer release says so', () => {
  expect(() => decode(happened, 3, {})).toThrow('Happened version 3 was written by a newer release; this one knows version 2');
});
