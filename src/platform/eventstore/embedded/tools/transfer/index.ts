import type { Source, Target } from './ends.js';

export { LineError } from './logged-event.js';
export { fromFile, intoFile, lastPosition, readLines, writeLines } from './log-file.js';
export { writeLog, WritingStopped, type Written } from './write-log.js';
export type { Source, Target } from './ends.js';

/** A log is in a data folder or behind an address. */
export const isAddress = (place: string): boolean => /^esdb(\+discover)?:\/\//.test(place);

/** The log to read at an `esdb://` address or in a data folder. */
export async function sourceAt(place: string): Promise<Source> {
  if (isAddress(place)) return (await import('./server.js')).serverSource(place);
  return (await import('./folder.js')).folderSource(place);
}

/** The log to write at an `esdb://` address or in a data folder. */
export async function targetAt(place: string): Promise<Target> {
  if (isAddress(place)) return (await import('./server.js')).serverTarget(place);
  return (await import('./folder.js')).folderTarget(place);
}
