import type { Kind } from '../../api/fields.js';
import { flag, type Shape } from './arguments.js';
import { separatorOf } from './values.js';

/** A line that a user can take and change: the resource, and every option without which the command is refused. */
export function exampleOf(words: string, { resource, fields }: Shape): string {
  const needed = fields.filter(({ optional, default: standard }) => !optional && standard === undefined);
  const options = needed.map(({ name, kind }) => `--${flag(name)} ${quoted(sample(kind, name))}`);
  const named = resource.length === 0 ? [] : [resource.map((name) => `my_${name}`).join('/')];
  return ['$ tarl', words, ...named, ...options].join(' ');
}

function sample(kind: Kind, name: string): string {
  switch (kind.kind) {
    case 'integer':
      return String(Math.max(kind.min ?? 1, 1));
    case 'number':
      return '0.5';
    case 'boolean':
      return 'true';
    case 'datetime':
      return '2026-01-31T12:00:00Z';
    case 'enum':
      return kind.values[0]!;
    case 'list':
      return sample(kind.of, name.replace(/ies$/, 'y').replace(/s$/, ''));
    case 'map':
      return `key=${sample(kind.of, 'value')}`;
    case 'object':
      return kind.fields.filter(({ optional }) => !optional).map((field) => sample(field.kind, field.name === 'name' ? `my_${name}` : field.name)).join(separatorOf(kind.fields));
    case 'json':
      return '{}';
    case 'bytes':
    case 'string':
      return name.startsWith('my_') ? name : `my ${name}`;
  }
}

const quoted = (text: string): string => (/^[\w.,:=/-]+$/.test(text) ? text : `'${text}'`);
