import { v5 as uuidv5 } from 'uuid';

const namespace = '2a8f0c1e-54d7-5d0b-9d6e-8b7a1f3c9e60';
const known = new Map<string, string>();

/** The 16 bytes that stand for one version of a group in the online table: the same in every process and every rebuild. */
export function scopeOf(project: string, group: string, version: number): string {
  const name = `${project}.${group}@${version}`;
  let scope = known.get(name);
  if (scope === undefined) {
    if (known.size > 50_000) known.clear();
    known.set(name, (scope = uuidv5(name, namespace)));
  }
  return scope;
}
