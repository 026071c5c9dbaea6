import { Option } from 'commander';
import { fieldsOf, type Field } from '../../api/fields.js';
import { pathFields } from '../../api/rest/paths.js';
import { resourceName } from '../../domain/kit/index.js';
import { misused } from '../failures.js';
import { placeholder, readValue } from './values.js';
import type { Named } from './verbs.js';

/** How the input of a definition is written on the command line. */
export interface Shape {
  /** The fields that name the resource: one argument, `<project>/<group>`. */
  readonly resource: readonly string[];
  /** All others, each an option. */
  readonly fields: readonly Field[];
}

/** Names of resources and what the route's path holds become the argument, everything else options. */
export function shapeOf({ input, http }: Named['definition']): Shape {
  const inPath = pathFields(http.path);
  const named = (name: string) => inPath.includes(name) || input.shape[name] === resourceName;
  const fields = fieldsOf(input, 'input');
  return { resource: fields.map(({ name }) => name).filter(named), fields: fields.filter(({ name }) => !named(name)) };
}

/** The option of a field: its type, default and description as the schema has them. */
export function optionOf({ name, kind, optional, default: standard, description }: Field): Option {
  const said = description ?? inWords(name);
  const option = new Option(`--${flag(name)} <${placeholder(kind)}>`, standard === undefined || isEmpty(standard) ? said : `${said} (default: ${JSON.stringify(standard)})`);
  option.argParser((text) => readValue(text, kind));
  if (kind.kind === 'enum') option.choices(kind.values);
  return option.makeOptionMandatory(!optional && standard === undefined);
}

/** The fields that `flights/airports` stands for. */
export function readResource(names: readonly string[], written: string): Record<string, string> {
  const parts = written.split('/');
  if (parts.length !== names.length || parts.includes('')) throw misused(`"${written}" is not <${names.join('/')}>.`);
  return Object.fromEntries(names.map((name, at) => [name, parts[at]!]));
}

/** `ttlSeconds` as `ttl-seconds`. */
export const flag = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();

const inWords = (name: string): string => flag(name).replaceAll('-', ' ');
const isEmpty = (value: unknown): boolean => value === '' || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
