import type { Command } from 'commander';
import { globalOptions, print, printJson } from '../output.js';
import { progress, whole } from '../progress.js';
import { untilStopped } from '../until-stopped.js';
import { placeOf, placeOptions, type PlaceOptions } from './place.js';
import { told } from './told.js';

const MIB = 1024 * 1024;

/** `tarl eventstore scavenge`: room for new events where no reader can see the old ones. */
export function scavenge(group: Command): void {
  const command = placeOptions(group.command('scavenge').description('Remove what no reader can see any more: truncated, too old, of deleted streams. Ctrl-C stops it.'))
    .addHelpText('after', `
With --url the node does it while it serves; with --dir no node may be running there. Positions are never used again.
The room is used for new events; the file does not shrink (a backup is compact).

Example:
  $ tarl eventstore scavenge --url "esdb://127.0.0.1:2113?tls=false"`);
  command.action(async (options: PlaceOptions) => {
    const place = placeOf(options);
    const stop = new AbortController();
    void untilStopped().then(() => stop.abort());
    const bar = progress('Scavenging', 100, '%');
    const seen = ({ position, end, bytes }: { position: number; end: number; bytes: number }) => bar.update((position / Math.max(1, end)) * 100, `${whole.format(bytes / MIB)} MiB`);
    const done = await told(options.url === undefined ? inFolder(place, stop.signal, seen) : onServer(place, stop.signal, seen)).finally(() => bar.stop());
    if (globalOptions(command).json) await printJson(done);
    else await print(`${whole.format(done.events)} events are removed, ${whole.format(done.bytes / MIB)} MiB are free again${done.result === 'Stopped' ? '; it was stopped before its end' : ''}.`);
  });
}

type Seen = (scavenged: { position: number; end: number; bytes: number }) => void;

async function onServer(url: string, signal: AbortSignal, seen: Seen) {
  const { scavengeServer } = await import('../../platform/eventstore/embedded/tools/remote.js');
  return scavengeServer(url, signal, seen);
}

async function inFolder(dir: string, signal: AbortSignal, seen: Seen) {
  const { requireStore } = await import('../../platform/eventstore/embedded/tools/snapshot.js');
  const { EventStore } = await import('../../platform/eventstore/embedded/store/event-store.js');
  const { scavenge } = await import('../../platform/eventstore/embedded/operations/scavenge.js');
  requireStore(dir);
  const store = await EventStore.open(dir);
  try {
    const { events, bytes } = await scavenge(store, signal, seen);
    return { result: signal.aborted ? 'Stopped' : 'Success', events, bytes };
  } finally {
    await store.close();
  }
}
