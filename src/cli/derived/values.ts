import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import type { Field, Kind } from '../../api/fields.js';

/** How a value of a kind is written on the command line, for the help: `<number>`, `<name:type>`. */
export function placeholder(kind: Kind): string {
  switch (kind.kind) {
    case 'integer':
    case 'number':
      return 'number';
    case 'datetime':
      return 'time';
    case 'list':
      return `${placeholder(kind.of)},…`;
    case 'map':
      return 'key=value,…';
    case 'object':
      return shortFields(kind.fields).map(({ name }) => name).join(separatorOf(kind.fields)) || 'json';
    case 'bytes':
      return 'base64';
    case 'enum':
      return kind.values.join('|');
    case 'boolean':
      return 'true|false';
    case 'json':
      return 'json';
    case 'string':
      return 'text';
  }
}

/**
 * The value that a text on the command line stands for; what does not fit its kind is refused by name. Lists and maps
 * are separated by commas, objects by colons, or `..` where there are times; all three may also be JSON, and `@file` stands for a file's content.
 */
export function readValue(written: string, kind: Kind): unknown {
  const text = written.startsWith('@') ? contentOf(written.slice(1)) : written;
  switch (kind.kind) {
    case 'integer':
    case 'number':
      return numberIn(text, kind.kind);
    case 'boolean':
      return booleanIn(text);
    case 'list':
      return text.trimStart().startsWith('[') ? jsonIn(text) : splitItems(text).map((item) => readValue(item, kind.of));
    case 'map':
      return text.trimStart().startsWith('{') ? jsonIn(text) : Object.fromEntries(splitItems(text).map((item) => readEntry(item, kind.of)));
    case 'object':
      return text.trimStart().startsWith('{') ? jsonIn(text) : readShort(text, kind.fields);
    case 'json':
      return jsonIn(text);
    default:
      return text;
  }
}

/** The fields that the short form of an object gives, in order: those a caller must, all plain values. */
const shortFields = (fields: readonly Field[]): readonly Field[] =>
  fields.filter(({ kind, optional }) => !optional && ['string', 'enum', 'integer', 'number', 'boolean', 'datetime'].includes(kind.kind));

/** What stands between the fields of a short form: times hold colons themselves. */
export const separatorOf = (fields: readonly Field[]): string => (shortFields(fields).some(({ kind }) => kind.kind === 'datetime') ? '..' : ':');

function readShort(text: string, fields: readonly Field[]): Record<string, unknown> {
  const short = shortFields(fields);
  const separator = separatorOf(fields);
  const parts = text.split(separator);
  if (parts.length !== short.length) throw new InvalidArgumentError(`"${text}" is not ${short.map(({ name }) => name).join(separator)}, and not a JSON object.`);
  return Object.fromEntries(short.map(({ name, kind }, at) => [name, readValue(parts[at]!, kind)]));
}

function readEntry(text: string, of: Kind): [string, unknown] {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError(`"${text}" is not key=value.`);
  return [text.slice(0, at), of.kind === 'json' ? jsonOrText(text.slice(at + 1)) : readValue(text.slice(at + 1), of)];
}

/** Splits at commas, but not within the braces or quotes of JSON. */
function splitItems(text: string): string[] {
  return [...text.matchAll(/(?:\{(?:[^{}"]|"(?:[^"\\]|\\.)*"|\{[^{}]*\})*\}|[^,])+/g)].map(([item]) => item.trim());
}

function numberIn(text: string, kind: 'integer' | 'number'): number {
  const value = Number(text);
  if (text.trim() === '' || !(kind === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value))) {
    throw new InvalidArgumentError(`"${text}" is not a ${kind === 'integer' ? 'whole ' : ''}number.`);
  }
  return value;
}

function booleanIn(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new InvalidArgumentError(`"${text}" is neither true nor false.`);
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidArgumentError(`It is not JSON: ${(error as Error).message}.`);
  }
}

/** In `airport=ORD` a text that is no JSON stands for itself; `id="5"` is the text of a digit. */
function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

function contentOf(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (error) {
    throw new InvalidArgumentError(`The file ${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}
