import { SetupError } from '../supervise/setup-error.js';
import { settings, variableOf, type Config } from './config.js';
import { nearest } from './nearest.js';

const nameOf = new Map(Object.keys(settings.shape).map((name) => [variableOf(name), name]));

/** Settings that may hold a password, so that no message repeats them. */
const secret = new Set(['apiKey', 'postgresUrl', 'eventstoreUrl', 'redisUrl', 'testEventstoreUrl']);

/**
 * Reads the `TARL_…` variables; one that is empty counts as absent. Fails with a SetupError that names each wrong one,
 * what it got and what it takes.
 */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const given: Record<string, string> = {};
  const mistakes: string[] = [];
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith('TARL_') || !value) continue;
    const name = nameOf.get(variable);
    if (name) given[name] = value;
    else mistakes.push(`${variable} is not a setting of TARL; did you mean ${nearest(variable, [...nameOf.keys()])}?`);
  }
  const result = settings.safeParse(given);
  for (const { path, message } of result.error?.issues ?? []) {
    const name = String(path[0]);
    const got = secret.has(name) ? 'what it is now' : `"${given[name]}"`;
    mistakes.push(`${variableOf(name)} cannot be ${got}: it takes ${message}.`);
  }
  if (!result.success || mistakes.length > 0) throw new SetupError(mistakes.join('\n'));
  return result.data;
}
