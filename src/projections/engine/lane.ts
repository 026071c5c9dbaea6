import { comparePositions, type Batch } from '../../platform/eventstore/port.js';
import { readCheckpoints } from './checkpoints.js';
import { Sorting, type Slice } from './slices.js';
import { idleWrite_ms, patienceWithEvents_ms, Track } from './track.js';
import { withClients } from './transaction.js';
import type { World } from './world.js';

/** Slices of one view are written side by side over so many connections at most; the database has as many to give to everybody. */
const mostTracks = 4;

interface FollowOptions {
  readonly untilLive?: boolean;
  readonly onLeftOut?: (slices: readonly Slice[]) => void;
}

/** Reads the log once for several slices, and moves them on from batch to batch: those of one view side by side, those of several views together. */
export class Lane {
  constructor(
    private readonly slices: readonly Slice[],
    private readonly world: World,
    private readonly writeEvery_ms = idleWrite_ms,
    private readonly patience_ms = patienceWithEvents_ms,
  ) {}

  /**
   * Follows the log from the stored checkpoints: until the signal aborts, or with `untilLive` until the log's end.
   * Throws ViewFailed when one slice must leave, and ViewsHeldUp when views must that would hold up the others, CheckpointMoved when the checkpoints must be read again. Goes on without
   * slices whose view has meanwhile been split or built otherwise, and says which: nobody follows the log for them.
   */
  async follow(signal: AbortSignal, { untilLive = false, onLeftOut }: FollowOptions = {}): Promise<void> {
    const { pool, eventStore } = this.world;
    if (this.slices.length === 0) return;
    // Lanes that end by themselves take one connection: several that wait for each other's would wait for ever.
    const parts = untilLive ? [this.slices] : sideBySide(this.slices);
    await withClients(pool, parts.length, async (clients) => {
      const tracks = parts.map((slices, at) => new Track(slices, clients[at]!, this.world, this.writeEvery_ms, this.patience_ms));
      const checkpoints = await readCheckpoints(clients[0]!);
      const sortingOf = sortingPerView();
      const leftOut = (await together(tracks, (track) => track.takePlaces(checkpoints, sortingOf))).flat();
      if (leftOut.length > 0) onLeftOut?.(leftOut);
      const [first, ...others] = tracks.flatMap(({ positions }) => positions);
      if (!first) return;
      for (const track of tracks) {
        track.isAlone = others.length === 0;
        track.givesWay = others.length > 0 && !untilLive;
      }
      const from = others.reduce((least, held) => (comparePositions(held, least) < 0 ? held : least), first);
      const ended = new AbortController();
      const batches = eventStore.subscribe({ from, signal: AbortSignal.any([signal, ended.signal]) })[Symbol.asyncIterator]();
      try {
        for (;;) {
          const { value: batch, done } = await this.nextBatch(batches, tracks, signal);
          if (done || signal.aborted) break;
          await together(tracks, (track) => track.take(batch.events, batch.position, signal));
          if (untilLive && batch.live) break;
        }
        if (!signal.aborted) await together(tracks, (track) => track.writePositions());
      } finally {
        ended.abort();
      }
    });
  }

  /** Waits for the next batch; when none comes for a while, or another process waits, positions that only moved in memory are written. */
  private async nextBatch(batches: AsyncIterator<Batch>, tracks: readonly Track[], signal: AbortSignal): Promise<IteratorResult<Batch>> {
    const next = batches.next();
    if (tracks.every(({ isWritten }) => isWritten) || signal.aborted) return next;
    const woken = Promise.withResolvers<void>();
    const timer = setTimeout(woken.resolve, this.writeEvery_ms);
    const stopListening = this.world.reached.onHurry(woken.resolve);
    await Promise.race([next, woken.promise]);
    clearTimeout(timer);
    stopListening();
    if (!signal.aborted) await together(tracks.filter(({ isDue }) => isDue), (track) => track.writePositions());
    return next;
  }
}

/** The first slice of each view in the first part, the second in the second, and so on: one part where no view is split. */
function sideBySide(slices: readonly Slice[]): Slice[][] {
  const parts: Slice[][] = [];
  const seen = new Map<string, number>();
  for (const slice of slices) {
    const before = seen.get(slice.view.name) ?? 0;
    seen.set(slice.view.name, before + 1);
    (parts[before % mostTracks] ??= []).push(slice);
  }
  return parts;
}

function sortingPerView(): (slice: Slice) => Sorting {
  const known = new Map<string, Sorting>();
  return ({ view, of }) => {
    let sorting = known.get(view.name);
    if (!sorting) known.set(view.name, (sorting = new Sorting(view, of)));
    return sorting;
  };
}

/** All at once. One that fails lets the others end first: their connections are not given back in the middle of a transaction. */
async function together<Result>(tracks: readonly Track[], work: (track: Track) => Promise<Result>): Promise<Result[]> {
  if (tracks.length === 1) return [await work(tracks[0]!)];
  const outcomes = await Promise.allSettled(tracks.map(work));
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}
