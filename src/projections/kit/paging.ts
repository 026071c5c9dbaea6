import { z } from 'zod';
import { Refusal } from '../../domain/kit/index.js';

/** The two fields that every list takes (AIP-158). */
export const pageInput = {
  pageSize: z.int().min(1).max(1000).default(100).describe('At most this many in one answer.'),
  pageToken: z.string().max(2048).default('').describe('The nextPageToken of the answer before; empty for the first page.'),
};

/** A token that names the last key of a page; the next page starts after it. Empty when there is no more. */
export const pageTokenAfter = (key: readonly string[] | undefined): string => (key ? Buffer.from(JSON.stringify(key)).toString('base64url') : '');

/** The key a token names, undefined for the first page. Refuses a token that no list gave out. */
export function keyOfPageToken(token: string, parts: number): string[] | undefined {
  if (token === '') return undefined;
  const key = z.array(z.string()).length(parts).safeParse(jsonOf(token));
  if (key.success) return key.data;
  throw new Refusal('INVALID_ARGUMENT', 'The page token is not one that this list gave out', {
    reason: 'INVALID_INPUT',
    fields: [{ field: 'pageToken', description: 'takes the nextPageToken of an earlier answer' }],
  });
}

/** The refusal of a token that another question gave out. */
export function otherQuestion(): Refusal {
  const description = 'belongs to a list with another filter or order, or as of another moment';
  return new Refusal('INVALID_ARGUMENT', `The page token ${description}`, { reason: 'INVALID_INPUT', fields: [{ field: 'pageToken', description }] });
}

function jsonOf(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token, 'base64url').toString());
  } catch {
    return undefined;
  }
}
