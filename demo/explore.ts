import { join, relative, resolve } from 'node:path';
import type { Config } from '../src/platform/config/index.js';
import { packageRoot } from '../src/platform/root.js';
import { project } from './groups.js';
import type { FoundPlatform } from './platform.js';

/** Three commands that work as printed, and how to stop what the demo started. */
export function exploreText({ connection: { addresses }, pid, log, ownerKey }: FoundPlatform, config: Config): string {
  const fromHere = relative(process.cwd(), config.dataDir);
  const folder = fromHere.startsWith('..') ? resolve(config.dataDir) : fromHere;
  const key = config.apiKey === undefined ? `$(cat ${join(folder, 'run/key')})` : '$TARL_API_KEY';
  const authorization = `-H "Authorization: Bearer ${key}"`;
  const tarl = relative(process.cwd(), join(packageRoot, 'bin/tarl.mjs'));
  const query = `{ featureGroups(project: "${project}") { nodes { group features { name type } } } }`;
  return [
    'The platform stays up. Explore it:',
    '',
    `  curl -sS ${authorization} ${addresses.rest}/api/v1/projects/${project}/feature-groups`,
    `  ${settingsOf(config)}node ${tarl} features read ${project}/routes ORD,LAX ATL,MIA`,
    `  curl -sS ${authorization} -H 'Content-Type: application/json' ${addresses.graphql} -d '${JSON.stringify({ query })}'`,
    ...(ownerKey === undefined ? [] : ['', 'This was its first start. The owner key, shown only this once:', '', `  ${ownerKey}`]),
    ...(pid === undefined ? [] : ['', `Its log is ${log}. Stop it with:`, '', `  kill ${pid}`]),
  ].join('\n');
}

/** The command line finds the platform by its data folder. */
const settingsOf = ({ dataDir }: Config): string => (dataDir === '.tarl' ? '' : `TARL_DATA_DIR=${dataDir} `);
