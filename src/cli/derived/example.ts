import type { Kind } from '../../api/fields.js';
import { flag, type Shape } from './arguments.js';
import { separatorOf } from './values.js';

/** Options of commands whose fields hold a language of their own, or of which one of several must be given: what is made up of their kinds would be refused. */
const given: Readonly<Record<string, string>> = {
  'features share': '--with-project marketing',
  'features unshare': '--with-project marketing',
  'features delete-feature-entity': '--entity card=c-7',
  'features create-feature-service': '--features cards:amount,usage:twice',
  'features change-feature-service': '--features cards:amount,usage:twice',
  'transformations register': `--inputs '{"name":"amount","feature":"cards:amount","type":"DOUBLE"}' --outputs '{"name":"twice","expression":"amount * 2"}'`,
  'pipelines create': '--source cards --target spending --steps \'{"feature":"twice","from":"usage:twice"}\'',
  'pipelines apply': '--run january',
  'pipelines apply-to-rows': `--rows '{"entity":{"card":"c-7"},"eventTime":"2026-01-31T12:00:00Z","values":{"amount":3}}'`,
  'monitoring set-feature-baseline': '--start 2026-01-01T00:00:00Z --end 2026-02-01T00:00:00Z',
  'monitoring set-feature-monitor': "--cron '0 3 * * *' --window-seconds 86400",
  'monitoring set-feature-expectations': `--expectations '{"name":"few_nulls","kind":"NULL_RATE","feature":"amount","max":0.1}'`,
};

/** A line that a user can take and change: the resource, and every option without which the command is refused. */
export function exampleOf(words: string, { resource, fields }: Shape): string {
  const needed = fields.filter(({ optional, default: standard }) => !optional && standard === undefined);
  const options = words in given ? [given[words]!] : needed.map(({ name, kind }) => `--${flag(name)} ${quoted(sample(kind, name))}`);
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
      return name === 'end' ? '2026-02-28T12:00:00Z' : '2026-01-31T12:00:00Z';
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
