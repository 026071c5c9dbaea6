import { refuseFilter, type Operator, type Term } from './parse.js';

/** What a list may be filtered by: SQL written here and nowhere else, so that callers' texts are only ever parameters. */
export interface Filterable {
  readonly fields: Readonly<Record<string, FilterField>>;
  /** An SQL text in which lone texts are looked for. */
  readonly search: string;
}

/** One field: a column or an expression of SQL, and what kind of values it has. */
export interface FilterField {
  readonly sql: string;
  readonly kind: 'text' | 'boolean' | 'time' | 'tags';
}

/** The conditions as SQL; their values are added to the statement's parameters. */
export const whereOf = (terms: readonly Term[], { fields, search }: Filterable, parameters: unknown[]): string[] =>
  terms.map((term) => {
    const parameter = (value: unknown) => `$${parameters.push(value)}`;
    if ('text' in term) return holds(search, parameter(term.text));
    const [name = '', ...path] = term.field.split('.');
    const field = Object.hasOwn(fields, name) ? fields[name]! : refuseFilter(`knows no field ${name}; it knows ${Object.keys(fields).join(', ')}`);
    const { operator, value } = term;
    if (field.kind === 'tags') return tagCondition(field.sql, path.join('.'), operator, value, parameter);
    if (path.length > 0) refuseFilter(`has ${term.field}, but ${name} has no parts`);
    return conditions[field.kind](field.sql, name, operator, value, parameter);
  });

/** A time of the years 1 to 9999, which is how both sides write it; an offset may lead out of them. */
const ofPostgres = /^(?!0000)\d{4}-/;

type Condition = (sql: string, name: string, operator: Operator, value: string, parameter: (value: unknown) => string) => string;

const conditions: Record<'text' | 'boolean' | 'time', Condition> = {
  text: (sql, name, operator, value, parameter) => {
    if (operator === ':') return holds(sql, parameter(value));
    if (operator === '=' || operator === '!=') return `${sql} ${operator === '=' ? '=' : '<>'} ${parameter(value)}`;
    return refuseFilter(`compares ${name} by ${operator}, but it takes =, != and :`);
  },
  boolean: (sql, name, operator, value) => {
    if (operator !== '=' && operator !== '!=') refuseFilter(`compares ${name} by ${operator}, but it takes = and !=`);
    if (value !== 'true' && value !== 'false') refuseFilter(`compares ${name} with ${value}, but it is true or false`);
    return `${sql} ${operator === '=' ? 'is' : 'is not'} ${value}`;
  },
  time: (sql, name, operator, value, parameter) => {
    if (operator === ':') refuseFilter(`compares ${name} by :, but it takes =, !=, <, <=, > and >=`);
    const time = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/.test(value) ? new Date(value) : new Date(NaN);
    const day = value.slice(0, 10);
    // A day that no month has rolls over into the next.
    if (Number.isNaN(time.getTime()) || new Date(day).toISOString().slice(0, 10) !== day || !ofPostgres.test(time.toISOString())) refuseFilter(`compares ${name} with ${value}, but it takes a time such as "2026-01-31T12:00:00Z"`);
    return `${sql} ${operator === '!=' ? '<>' : operator} ${parameter(time.toISOString())}::timestamptz`;
  },
};

/** `tags.tier = 1` compares one tag, which may be missing; `tags : tier` asks whether it is there. */
function tagCondition(sql: string, tag: string, operator: Operator, value: string, parameter: (value: unknown) => string): string {
  if (tag === '') return operator === ':' ? `jsonb_exists(${sql}, ${parameter(value)})` : refuseFilter(`compares all tags by ${operator}; name one (tags.tier ${operator} ${value}), or ask tags : tier`);
  const held = `(${sql} ->> ${parameter(tag)}::text)`;
  switch (operator) {
    case '=':
      return `${held} is not distinct from ${parameter(value)}::text`;
    case '!=':
      return `${held} is distinct from ${parameter(value)}::text`;
    case ':':
      return `coalesce(${holds(held, parameter(value))}, false)`;
    default:
      return refuseFilter(`compares tags.${tag} by ${operator}, but it takes =, != and :`);
  }
}

/** Whatever the case; no character of the text sought means anything but itself. */
const holds = (sql: string, parameter: string): string => `strpos(lower(${sql}), lower(${parameter}::text)) > 0`;
