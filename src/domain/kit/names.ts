import { z } from 'zod';

/** A resource's name: it stands in stream names and columns, so it holds no `-`, `.` or capital. */
export const resourceName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,62}$/, 'takes a lower-case letter, then at most 62 of a-z, 0-9 and _');

/** Free text for people: never empty, at most 4,096 characters. */
export const description = z.string().max(4096);
