import { z } from 'zod';

const name = '[a-z][a-z0-9_]{0,62}';

/** A feature by name: `group:feature`, or `group` for all its features. */
export const featureReference = z.string().regex(new RegExp(`^${name}(:${name})?$`), 'takes group:feature, or a group alone');

/** A reference taken apart. */
export interface Reference {
  /** The group, or an alias of one. */
  readonly name: string;
  readonly feature?: string;
}

export function referenceOf(text: string): Reference {
  const at = text.indexOf(':');
  return at < 0 ? { name: text } : { name: text.slice(0, at), feature: text.slice(at + 1) };
}
