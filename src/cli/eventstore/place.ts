import type { Command } from 'commander';
import { misused } from '../failures.js';

/** Where a log is: in a data folder or behind an address. */
export interface PlaceOptions {
  readonly dir?: string;
  readonly url?: string;
}

/** Adds the two ways to say where a log is. */
export function placeOptions(command: Command): Command {
  return command.option('--dir <folder>', 'the data folder of an embedded event store').option('--url <address>', 'any EventStoreDB, as esdb://user:password@host:2113');
}

/** The one place that was named. */
export function placeOf({ dir, url }: PlaceOptions): string {
  if ((dir === undefined) === (url === undefined)) throw misused('Name either a data folder with --dir or an address with --url.');
  if (url !== undefined && !/^esdb(\+discover)?:\/\//.test(url)) throw misused(`"${url}" is not an address: it begins with esdb:// or esdb+discover://.`);
  return (dir ?? url)!;
}
