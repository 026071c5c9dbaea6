import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { readConfig } from '../../platform/config/index.js';
import { findConnection } from '../connection.js';
import { misused, unreachable } from '../failures.js';
import type { LocalRun } from '../local-run.js';
import { globalOptions, print, printJson } from '../output.js';
import { progress, whole } from '../progress.js';
import { answered } from '../rest.js';
import { openFile, outFormatOf } from '../rows/sink.js';
import { readableGroup, readableHelp } from './target.js';

const mediaTypes = { csv: 'text/csv', ndjson: 'application/x-ndjson', parquet: 'application/vnd.apache.parquet', arrow: 'application/vnd.apache.arrow.stream' } as const;

interface Options {
  readonly features: readonly string[];
  readonly start?: string;
  readonly end?: string;
  readonly knownAt?: string;
  readonly minPosition?: string;
}

/** `tarl features export`: the latest values of a group, or its history between two times, as a file. */
export function exportLatest(group: Command): void {
  const command = group.command('export')
    .description('Writes the latest row of every entity of a group to a file; with --start or --end its history between two times.')
    .argument('<project/group>', readableHelp)
    .argument('<file>', 'a .csv, .ndjson, .parquet or .arrow file')
    .option('--features <name,…>', 'only these', (text: string) => text.split(','), [])
    .option('--start <time>', 'the first event time of the history')
    .option('--end <time>', 'the last event time of the history')
    .option('--known-at <when>', 'of the history only what was known then: a time, or a position of the log', known)
    .option('--min-position <position>', 'wait until the answer holds everything up to this position')
    .addHelpText('after', '\nExample:\n  $ tarl features export flights/airports airports.parquet');
  command.action(async (target: string, file: string, options: Options) => {
    const { json, profile } = globalOptions(command);
    const { project, name } = readableGroup(target);
    const connection = await findConnection(readConfig(), profile);
    const history = (options.start ?? options.end) !== undefined;
    if (options.knownAt !== undefined && !history) throw misused('--known-at is for a history: say --start or --end too.');
    const response = await ask(connection, { project, name, accept: mediaTypes[outFormatOf(file)], history, options });
    const bytes = await save(response, file, target);
    if (json) await printJson({ bytes, out: file, position: response.headers.get('tarl-position') ?? undefined });
    else await print(`${whole.format(bytes)} bytes in ${file}.`);
  });
}

interface Question {
  readonly project: string;
  readonly name: string;
  readonly accept: string;
  readonly history: boolean;
  readonly options: Options;
}

function ask({ addresses, key }: LocalRun, { project, name, accept, history, options: { features, start, end, knownAt, minPosition } }: Question): Promise<Response> {
  const headers = { authorization: `Bearer ${key}`, accept, ...(minPosition !== undefined && { 'tarl-min-position': minPosition }) };
  if (!history) {
    const url = new URL(`${addresses.rest}/api/v1/projects/${encodeURIComponent(project)}/feature-groups/${encodeURIComponent(name)}/rows:export`);
    for (const feature of features) url.searchParams.append('features', feature);
    return answered(url, { headers });
  }
  const body = { features: features.length > 0 ? features.map((feature) => `${name}:${feature}`) : [name], start, end, ...(knownAt !== undefined && { knownAt: /^\d+(\/\d+)?$/.test(knownAt) ? { position: knownAt } : { time: knownAt } }) };
  return answered(new URL(`${addresses.rest}/api/v1/projects/${encodeURIComponent(project)}/features:historical`), { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) });
}

async function save(response: Response, file: string, target: string): Promise<number> {
  const to = await openFile(file);
  const bar = progress(`Exporting ${target}`, undefined, 'bytes');
  let bytes = 0;
  try {
    for await (const piece of response.body!) {
      await to.write(piece);
      bar.update((bytes += piece.length));
    }
    await to.close();
    return bytes;
  } catch (error) {
    await to.abandon();
    // The connection broke in the middle, which a status sent at the beginning cannot say.
    throw error instanceof TypeError ? unreachable(new URL(response.url).origin, error) : error;
  } finally {
    bar.stop();
  }
}

function known(text: string): string {
  if (text === 'row') throw new InvalidArgumentError('A history has no rows of a file, so "row" means nothing here.');
  return text;
}
