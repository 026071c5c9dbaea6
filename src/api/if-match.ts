import type { IfMatch } from '../commands/kit/command.js';

/** One entity tag and what follows it up to the next: `"5"`, `W/"5"`, or a bare 5. */
const entityTag = /[ \t]*(?:(W\/)?"([\x21\x23-\x7e]{0,128})"|([\x21\x23-\x2b\x2d-\x7e]{1,128}))?[ \t]*(?:,|$)/y;

/**
 * Reads an `If-Match` header: `*`, or entity tags separated by commas; undefined for what is neither. Weak ones are left out: the
 * comparison is the strong one of RFC 9110, 13.1.1, in which they never match.
 */
export function readIfMatch(value: string): IfMatch | undefined {
  const text = value.trim();
  if (text === '*') return '*';
  const strong: string[] = [];
  let tags = 0;
  entityTag.lastIndex = 0;
  while (entityTag.lastIndex < text.length) {
    const found = entityTag.exec(text);
    if (!found || found[3] === '*') return undefined;
    const [, weak, quoted, bare] = found;
    const tag = quoted ?? bare;
    // Lists may have empty places.
    if (tag === undefined) continue;
    tags++;
    if (weak === undefined) strong.push(tag);
  }
  return tags > 0 ? strong : undefined;
}
