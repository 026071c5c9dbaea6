import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Raised when what is kept of a fold beside its state changes its meaning. */
const shape = 1;

let version: string | undefined;

/**
 * A hash of all code that a fold is made of: the domain imports nothing but itself and zod. Another release with
 * another domain has another version, so nobody has to remember to raise a number.
 */
export const foldsVersion = (): string => (version ??= hashOf(fileURLToPath(new URL('../../../domain', import.meta.url))));

/** The hash of a folder's code, file by file. */
export function hashOf(folder: string): string {
  const hash = createHash('sha256').update(`${shape}`);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && /\.[jt]s$/.test(entry.name));
  for (const path of files.map(({ parentPath, name }) => join(parentPath, name)).sort()) hash.update(`\n${path.slice(folder.length)}\n`).update(readFileSync(path));
  return hash.digest('base64url');
}
