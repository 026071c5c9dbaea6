import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { ServiceClient } from '../src/cli/grpc.js';
import { CommandFailure, exitCodes } from '../src/cli/exit-codes.js';
import type { LocalRun } from '../src/cli/local-run.js';
import { callRest } from '../src/cli/rest.js';
import { whole } from '../src/cli/progress.js';
import type { PlatformStatus } from '../src/api/platform-status.js';
import { readConfig } from '../src/platform/config/index.js';
import { SetupError } from '../src/platform/supervise/setup-error.js';
import { exploreText } from './explore.js';
import { flightCount } from './flights.js';
import { createGroups } from './groups.js';
import { driftReport, lineageTree, stretchesOf } from './insight.js';
import { awaitVisible, readMany, showLatest } from './online.js';
import { findOrStartPlatform } from './platform.js';
import { rebuildOnline } from './rebuild.js';
import { Report } from './report.js';
import { knownThenAndNow, saveTrainingSet, verifyTrainingSet, writeLate } from './saved.js';
import { createService, service } from './service.js';
import { buildTrainingSet, sampleFlights, type Labels } from './training.js';
import { writeFlights } from './write.js';

/** Rows of the training set, where there are as many flights. */
const trainingRows = 100_000;

/** `npm run demo`: the main job of the feature store on real flights, from an empty machine to a training set that can be proved. */
async function demo(wanted: number | undefined): Promise<void> {
  const config = readConfig();
  const inFile = await flightCount();
  const count = Math.min(wanted ?? inFile, inFile);
  console.log(`TARL demo: ${whole.format(count)} of ${whole.format(inFile)} flights within the United States in 2001.`);
  const platform = await findOrStartPlatform(config);
  const { connection } = platform;
  const client = new ServiceClient(connection, 'tarl/features/v1/features.proto', 'tarl.features.v1.Features');
  const report = new Report();

  for (const sentence of [...(await createGroups(connection)), ...(await createService(connection))]) console.log(sentence);
  const { endOfLog } = (await callRest(connection, { method: 'GET', path: '/api/v1/platform' }, {})) as unknown as PlatformStatus;
  const written = await report.time('Write every flight to both groups', 'rows', () => writeFlights(client, count, endOfLog), ({ rows }) => rows);
  if (written.recognised > 0) console.log(`${whole.format(written.recognised)} rows were written by an earlier demo: recognised by their request ids, not stored again.`);
  await report.time('Wait until all of it can be read online', '', () => awaitVisible(client, written.position));
  const latest = await showLatest(client);
  console.log(latest);
  await report.time('Read online, 100 airports a call', 'entities', () => readMany(client, 500), (entities) => entities);
  const labels = await sampleFlights(count, trainingRows);
  const out = join(config.dataDir, 'demo/training-set.csv');
  const training = await report.time('Build a training set by replay, each row as of 1 ms before its flight', 'rows', () => buildTrainingSet(client, labels, out), ({ rows }) => rows);
  console.log(`${training.sample}\nAll of it is in ${out}; known_at ${training.knownAt} gives the same again, whatever is written since.`);
  const stretches = stretchesOf(labels);
  const drift = await report.time(`Compare the delays of ${stretches.what}`, '', () => driftReport(connection, stretches));
  console.log(drift);
  console.log(`\nWhat ${service} is made of\n${await lineageTree(connection)}`);
  await proveSaved(connection, client, labels, report);
  // How many rows the log holds is only known when this demo wrote them all.
  const [unit, rows] = written.recognised === 0 ? ['rows', written.rows] : ['events', undefined];
  const events = await report.time('Rebuild the online values from the log', unit, () => rebuildOnline(connection), (events) => rows ?? events);
  console.log(`The view was rebuilt from ${whole.format(events)} events of the log, and took the place of the old one.`);
  const latestAfter = await showLatest(client);
  console.log(latestAfter === latest ? 'It answers as the old one did.' : latestAfter);

  client.close();
  console.log(`\n${report.text()}\n\n${exploreText(platform, config)}`);
}

/** Saves a training set, writes into the past that it looks back on, and asks for it again: it is the same to the last bit. */
async function proveSaved(connection: LocalRun, client: ServiceClient, labels: Labels, report: Report): Promise<void> {
  const trainingSets = new ServiceClient(connection, 'tarl/features/v1/training_sets.proto', 'tarl.features.v1.TrainingSets');
  const saved = await report.time('Save a training set of the service, with the week of each airport', 'rows', () => saveTrainingSet(trainingSets, labels), ({ rows }) => Number(rows));
  trainingSets.close();
  console.log(`${saved.changed ? 'Saved' : 'An earlier demo had saved it'}: ${whole.format(Number(saved.rows))} rows with the hash ${saved.hash}, as known at position ${saved.knownAt}.`);
  console.log(`${whole.format(await writeLate(client, labels))} late rows have been written since, of delays of 999 minutes. One flight, as it was known then and is now:`);
  console.log(await knownThenAndNow(client, labels, saved.knownAt));
  const { said } = await report.time('Ask for the training set again', 'rows', () => verifyTrainingSet(connection), ({ rows }) => rows);
  console.log(said);
}

const program = new Command('demo')
  .description('Writes real flights to a feature store, reads them online, builds training sets from their history and looks for drift.')
  .option('--rows <number>', 'only the first flights of the file', readCount)
  .action(({ rows }: { rows?: number }) => demo(rows));

function readCount(text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new InvalidArgumentError('It takes a whole number above zero.');
}

try {
  await program.parseAsync();
  process.exit(0);
} catch (error) {
  if (!(error instanceof CommandFailure || error instanceof SetupError)) throw error;
  console.error(error.message);
  process.exit(error instanceof CommandFailure ? error.exitCode : exitCodes.failure);
}
