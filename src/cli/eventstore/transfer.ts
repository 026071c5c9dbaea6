import type { Command } from 'commander';
import { statSync } from 'node:fs';
import type { Written } from '../../platform/eventstore/embedded/tools/transfer/index.js';
import { parsePosition, startOfLog, type Position } from '../../platform/eventstore/position.js';
import { misused } from '../failures.js';
import { globalOptions, print, printJson } from '../output.js';
import { progress, whole } from '../progress.js';
import { placeOf, placeOptions, type PlaceOptions } from './place.js';
import { told } from './told.js';

const transfer = () => import('../../platform/eventstore/embedded/tools/transfer/index.js');
const LINES_HELP = `
Each line is an event: its position, stream, revision, id, type, time of creation, data and metadata. What is no plain
JSON is in dataBase64 and metadataBase64.`;

interface ExportOptions extends PlaceOptions {
  readonly to: string;
  readonly resume?: true;
}

/** `tarl eventstore export`: the log as lines of JSON. */
export function exportLog(group: Command): void {
  const command = placeOptions(group.command('export').description('Write the whole log as lines of JSON, from a data folder or from any EventStoreDB.'))
    .requiredOption('--to <file>', 'where the lines go; - is standard output')
    .option('--resume', 'go on with a file that an export before this one left unfinished')
    .addHelpText('after', `${LINES_HELP}\n\nExample:\n  $ tarl eventstore export --dir ./log --to log.ndjson\n  $ tarl eventstore export --url "esdb://127.0.0.1:2113?tls=false" --to - | gzip > log.ndjson.gz`);
  command.action(async (options: ExportOptions) => {
    const place = placeOf(options);
    const { intoFile, lastPosition, sourceAt, writeLines } = await transfer();
    const after = options.resume ? lastPosition(options.to) : startOfLog;
    const source = await told(sourceAt(place));
    const bar = await told(barOfLog('Exporting', source.end()));
    const done = await told(
      options.to === '-' ? writeLines(source.events(after), process.stdout, bar.at) : intoFile(options.to, Boolean(options.resume), (out) => writeLines(source.events(after), out, bar.at)),
    ).finally(() => Promise.all([bar.stop(), source.close()]));
    if (options.to === '-') return;
    if (globalOptions(command).json) await printJson({ to: options.to, events: done.events });
    else await print(`${whole.format(done.events)} events are written to ${options.to}.`);
  });
}

interface WriteOptions {
  readonly after?: Position;
  readonly exactMetadata?: true;
}

const writeOptions = (command: Command): Command =>
  command
    .option('--after <position>', 'go on behind this position, where an attempt before this one stopped', readPosition)
    .option('--exact-metadata', 'do not note the time of creation, as $created, in the metadata of events that go to a server');

/** `tarl eventstore import`: the log out of lines of JSON. */
export function importLog(group: Command): void {
  const command = writeOptions(placeOptions(group.command('import').description('Write an exported log into a data folder or to any EventStoreDB.')))
    .requiredOption('--from <file>', 'where the lines are; - is standard input')
    .addHelpText('after', `
Streams that a server makes for itself ($ce-…, $et-…, $streams and the like) are left out. An import may be repeated:
what is written already is not written twice. A server sets the time of creation itself; the true one is then kept in
the metadata, as $created.

Example:
  $ tarl eventstore import --dir ./log --from log.ndjson
  $ gunzip -c log.ndjson.gz | tarl eventstore import --url esdb://admin:changeit@db.example.com:2113 --from -`);
  command.action(async (options: PlaceOptions & WriteOptions & { from: string }) => {
    const place = placeOf(options);
    const { fromFile, readLines } = await transfer();
    const bytes = options.from === '-' ? undefined : statOf(options.from).size;
    const bar = progress('Importing', bytes, bytes === undefined ? 'events' : 'bytes');
    let read = 0;
    const counted = async function* () {
      for await (const chunk of fromFile(options.from)) {
        read += chunk.length;
        yield chunk;
      }
    };
    const written = await write(readLines(counted(), options.after ?? startOfLog), place, options, ({ events }) => bar.update(bytes === undefined ? events : read, `${whole.format(events)} events`)).finally(() => bar.stop());
    await tell(command, place, written);
  });
}

/** `tarl eventstore copy`: the log from one place to another, as when moving to a cluster. */
export function copyLog(group: Command): void {
  const command = writeOptions(group.command('copy').description('Copy the log between data folders and servers, as when moving to a cluster.'))
    .requiredOption('--from <folder or address>', 'where the log is')
    .requiredOption('--to <folder or address>', 'where it goes')
    .addHelpText('after', '\nExample:\n  $ tarl eventstore copy --from ./log --to esdb+discover://admin:changeit@cluster.example.com:2113');
  command.action(async (options: WriteOptions & { from: string; to: string }) => {
    const { sourceAt } = await transfer();
    const source = await told(sourceAt(options.from));
    const bar = await told(barOfLog('Copying', source.end()));
    const written = await write(source.events(options.after ?? startOfLog), options.to, options, ({ position }) => position && bar.at(position)).finally(() => Promise.all([bar.stop(), source.close()]));
    await tell(command, options.to, written);
  });
}

async function write(events: Parameters<Awaited<ReturnType<typeof transfer>>['writeLog']>[0], place: string, options: WriteOptions, seen: (written: Written) => void): Promise<Written> {
  const { targetAt, writeLog } = await transfer();
  const target = await told(targetAt(place));
  return told(writeLog(events, target, { noteCreated: !options.exactMetadata, progress: seen })).finally(() => target.close());
}

async function tell(command: Command, place: string, { events, skipped, renumbered }: Written): Promise<void> {
  if (globalOptions(command).json) return printJson({ events, skipped, renumbered });
  const notes = [
    skipped > 0 && `${whole.format(skipped)} events of the server's own streams were left out.`,
    renumbered > 0 && `${whole.format(renumbered)} streams had lost their first events and now count from 0.`,
  ];
  await print([`${whole.format(events)} events are in ${place.replace(/\/\/[^/@]*@/, '//')}.`, ...notes.filter(Boolean)].join('\n'));
}

/** A bar that runs from the start of the log to its end. */
async function barOfLog(title: string, end: Promise<Position>): Promise<{ at(position: Position): void; stop(): void }> {
  const bar = progress(title, Math.max(1, Number((await end).commit)), 'positions');
  return { at: ({ commit }) => bar.update(Number(commit)), stop: () => bar.stop() };
}

function readPosition(text: string): Position {
  try {
    return parsePosition(text);
  } catch (error) {
    throw misused((error as Error).message);
  }
}

function statOf(file: string) {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) throw misused(`There is no file ${file}.`);
  return found;
}
