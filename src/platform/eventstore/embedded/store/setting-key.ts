import { createHash } from 'node:crypto';

/** LMDB's keys are short, and one that is longer would fail every transaction that holds it. In one, a byte may take two. */
const LONGEST_KEY = 900;

/** The key of a setting in the data file: its name, or what the name begins with and a hash, where a stream, a group or a user has a long one. */
export function settingKey(name: string): string {
  if (Buffer.byteLength(name) <= LONGEST_KEY) return name;
  const prefix = name.slice(0, name.indexOf('/') + 1);
  return `${prefix}#${createHash('sha256').update(name).digest('hex')}`;
}
