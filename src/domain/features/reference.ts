import { z } from 'zod';

const name = '[a-z][a-z0-9_]{0,62}';
const group = `${name}(@[1-9][0-9]{0,5})?`;

/** A group of another project, where it is shared with this one: `fraud/cards`. */
const anyGroup = `(${name}/)?${group}`;

/** A group, or one version of it: `group@2`; `fraud/cards@2` for one of another project. */
export const groupReference = z.string().regex(new RegExp(`^${anyGroup}$`), 'takes a group, group@2 for a version, or project/group for one that another project shares');

/** A feature by name: `group:feature`, or `group` for all its features; `group@2` stands for a version of the group. */
export const featureReference = z.string().regex(new RegExp(`^${anyGroup}(:${name})?$`), 'takes group:feature, or a group alone');

/** A reference taken apart. */
export interface Reference {
  /** The group, with its version where one is named, or an alias of one. */
  readonly name: string;
  readonly feature?: string;
}

export function referenceOf(text: string): Reference {
  const at = text.indexOf(':');
  return at < 0 ? { name: text } : { name: text.slice(0, at), feature: text.slice(at + 1) };
}

/** A group's name, and the version that is meant where it is not the promoted one. Other texts are taken for names that nothing has. */
export function versionedGroup(text: string): { group: string; version?: number } {
  const [, group, version] = /^([^@]*)@([1-9]\d{0,5})$/.exec(text) ?? [];
  return group === undefined ? { group: text } : { group, version: Number(version) };
}

/** The group that a name means to a project: its own, or `fraud/cards@2` of another one. */
export function groupNamed(project: string, text: string): { project: string; group: string; version?: number } {
  const at = text.indexOf('/');
  return at < 0 ? { project, ...versionedGroup(text) } : { project: text.slice(0, at), ...versionedGroup(text.slice(at + 1)) };
}
