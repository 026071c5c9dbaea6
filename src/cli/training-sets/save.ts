import type { Command } from 'commander';
import { readConfig } from '../../platform/config/index.js';
import { findConnection } from '../connection.js';
import { readResource } from '../derived/arguments.js';
import { readValue } from '../derived/values.js';
import { drained } from '../drained.js';
import { asking, questionOf, type QuestionOptions } from '../features/question.js';
import { featuresOfService, keysAsked } from '../features/selection.js';
import { timesRead } from '../features/time-unit.js';
import type { ServiceClient } from '../grpc.js';
import { globalOptions, print, printJson } from '../output.js';
import { progress, whole } from '../progress.js';
import { openRows } from '../rows/open.js';
import { trainingSetsClient } from './client.js';
import { EntityColumns } from './entity-columns.js';

const batchRows = 20_000;

interface Options extends QuestionOptions {
  readonly storeRows?: boolean;
  readonly owner?: string;
  readonly description?: string;
  readonly tags?: Record<string, string>;
}

interface Saved {
  readonly position: string;
  readonly changed: boolean;
  readonly rows: string;
  readonly hash: string;
  readonly knownAt: string;
}

/** `tarl training-sets save`: a question and the hash of its rows under a name, so that asking again proves that they are the same. */
export function save(group: Command): void {
  const command = asking(group.command('save'))
    .description('Answers a question for a training set and saves it with the hash of its rows.')
    .argument('<project/trainingSet>')
    .argument('[file]', 'rows with keys and times, or - for standard input; without a file all entities of the range')
    .option('--store-rows', 'keep the rows themselves, too; otherwise the log gives them again')
    .option('--owner <text>', 'who answers for it')
    .option('--description <text>', 'what it is for')
    .option('--tags <key=value,…>', 'tags', (text: string) => readValue(text, { kind: 'map', of: { kind: 'string' } }))
    .addHelpText('after', '\nExample:\n  $ tarl training-sets save flights/january labels.csv --features airports:delay_min --store-rows');
  command.action(async (target: string, file: string | undefined, options: Options) => {
    const { json, profile } = globalOptions(command);
    const { project, trainingSet } = readResource(['project', 'trainingSet'], target) as { project: string; trainingSet: string };
    const { owner, description, tags, storeRows } = options;
    const question = questionOf(project, file, options);
    const connection = await findConnection(readConfig(), profile);
    const features = options.service === undefined ? question.features : await featuresOfService(connection, project, options.service);
    const client = await trainingSetsClient(connection);
    const bar = progress('Saving', undefined, 'rows');
    try {
      const keys = file === undefined ? [] : await keysAsked(connection, project, features, options.alias ?? []);
      const rows = file === undefined ? noRows() : new EntityColumns(keys, question.timeColumn).of(timesRead((await openRows(file, batchRows, options.format)).batches, question.timeColumn, options.timeUnit));
      const saved = await send(client, { trainingSet, owner, description, tags, storeRows }, question, rows);
      if (json) await printJson({ ...saved, rows: Number(saved.rows) });
      else await print(`${saved.changed ? 'Saved' : 'Saved already'}: ${whole.format(Number(saved.rows))} rows with the hash ${saved.hash}, as known at position ${saved.knownAt}.`);
    } finally {
      bar.stop();
      client.close();
    }
  });
}

/** The first message names and asks, all bring rows. */
async function send(client: ServiceClient, labels: object, question: object, rows: AsyncIterable<object>): Promise<Saved> {
  const { call, reply } = client.requests<object, Saved>('SaveTrainingSet');
  // A call that fails while rows are still sent is heard of at the end.
  reply.catch(() => undefined);
  let first = true;
  for await (const some of rows) {
    if (call.destroyed) break;
    if (!call.write(first ? { ...labels, question: { ...question, ...some } } : { question: some })) await drained(call);
    first = false;
  }
  if (first) call.write({ ...labels, question });
  if (!call.destroyed) call.end();
  return reply;
}

async function* noRows(): AsyncGenerator<never> {}
