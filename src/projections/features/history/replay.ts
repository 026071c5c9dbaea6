import { setImmediate } from 'node:timers/promises';
import { featureRowsStream } from '../../../domain/features/streams.js';
import { comparePositions, type EventStore, type Position } from '../../../platform/eventstore/port.js';
import { ChunkCache, EventCache } from './chunk-cache.js';
import { historyEvent, type HistoryEvent } from './events.js';

/** Streams read at the same time: enough that the log is never idle while this side decodes. */
const streamsAtOnce = 4;

/** The share of the memory that single events have; whole beginnings of streams have the rest. */
const shareOfSingle = 1 / 4;

/** How long a replay from memory may keep the process from its other callers. */
const longestTurnMs = 15;

/** One partition of a group's rows. */
export interface Partition {
  readonly project: string;
  readonly group: string;
  readonly partition: number;
}

export const streamOf = ({ project, group, partition }: Partition): string => featureRowsStream(project, group, partition);

/** Replays the history of feature groups from the log. */
export class Replay {
  private readonly cache: ChunkCache;
  private readonly single: EventCache;

  constructor(
    readonly eventStore: EventStore,
    options: { readonly cacheBytes: number },
  ) {
    this.cache = new ChunkCache(options.cacheBytes * (1 - shareOfSingle));
    this.single = new EventCache(options.cacheBytes * shareOfSingle);
  }

  /** Gives each event of the partitions up to a position, in order within a partition, to `take`. Ends early by throwing when the signal aborts. */
  async run(partitions: readonly Partition[], until: Position, take: (event: HistoryEvent, of: Partition) => void, signal?: AbortSignal): Promise<void> {
    const left = partitions.values();
    const stop = new AbortController();
    const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
    const pause = breather();
    const readers = Array.from({ length: Math.min(streamsAtOnce, partitions.length) }, async () => {
      for (const partition of left) {
        for await (const event of this.events(partition, until, either)) {
          take(event, partition);
          await pause();
        }
      }
    });
    try {
      await Promise.all(readers);
    } catch (error) {
      stop.abort(error);
      await Promise.allSettled(readers);
      throw error;
    }
  }

  /** One event of a partition; undefined where there is none. */
  async at(partition: Partition, revision: bigint, signal?: AbortSignal): Promise<HistoryEvent | undefined> {
    const stream = streamOf(partition);
    const held = this.cache.beginning(stream)[Number(revision)] ?? this.single.get(stream, revision);
    if (held) return held;
    for await (const stored of this.eventStore.readStream(stream, { from: revision, limit: 1, signal })) {
      const event = historyEvent(stored);
      this.single.keep(stream, event);
      return event;
    }
    return undefined;
  }

  /** The events of one partition from a revision up to a position. */
  async *from(partition: Partition, revision: bigint, until: Position, signal?: AbortSignal): AsyncGenerator<HistoryEvent> {
    for await (const stored of this.eventStore.readStream(streamOf(partition), { from: revision, signal })) {
      const event = historyEvent(stored);
      if (comparePositions(event.position, until) > 0) return;
      yield event;
    }
  }

  /** The events of one partition up to a position. */
  private async *events(partition: Partition, until: Position, signal: AbortSignal): AsyncGenerator<HistoryEvent> {
    const stream = streamOf(partition);
    // Taken as it stands: others may lengthen it while this replay runs.
    const beginning = this.cache.beginning(stream);
    const held = beginning.length;
    for (let at = 0; at < held; at++) {
      const event = beginning[at]!;
      if (comparePositions(event.position, until) > 0) return;
      signal.throwIfAborted();
      yield event;
    }
    for await (const stored of this.eventStore.readStream(stream, { from: BigInt(held), signal })) {
      signal.throwIfAborted();
      const event = historyEvent(stored);
      if (comparePositions(event.position, until) > 0) return;
      this.cache.offer(stream, event);
      yield event;
    }
    signal.throwIfAborted();
  }
}

/** Lets others have their turn when this one has lasted long enough. */
function breather(): () => Promise<void> | undefined {
  let since = performance.now();
  return () => {
    if (performance.now() - since < longestTurnMs) return undefined;
    return setImmediate().then(() => {
      since = performance.now();
    });
  };
}
