import type { Decider } from '../../domain/kit/index.js';
import { evolveStored, type Readable } from '../../platform/eventstore/decode-stored.js';
import { StreamDeleted } from '../../platform/eventstore/errors.js';
import { formatPosition, startOfLog, type EventStore, type Position, type StoredEvent } from '../../platform/eventstore/port.js';
import { isWorthKeeping, longStream, type Snapshots } from './snapshots/snapshots.js';

/** What the events of one stream add up to, and where they end. */
export interface Aggregate<State = unknown> {
  readonly state: State;
  /** The last revision folded; -1 for a stream without events. */
  readonly revision: bigint;
  readonly position: Position;
  /** The id of the last event; empty for a stream without events. */
  readonly lastId: string;
  /** Whether the stream had its first event: one that was truncated folds to something else the next time it is cut. */
  readonly isWhole: boolean;
  /** The newest commands of the stream, oldest first: command id → where its last event stands. */
  readonly commands: ReadonlyMap<string, { revision: bigint; position: string; bodyHash?: string }>;
}

/** Streams remember this many of their newest commands, enough to recognise any retry. */
const rememberedCommands = 32;

/** Events are folded so many at a time while a stream is read. */
const eventsAtOnce = 500;

/** Folds streams, and keeps the newest folds so that most commands read nothing. */
export class Aggregates {
  private readonly cache = new Map<string, Aggregate>();
  private readonly loadedAt = new Map<string, number>();
  /** Of streams with a snapshot, how many events are in it. */
  private readonly snapshotOf = new Map<string, bigint>();

  constructor(
    private readonly eventStore: EventStore,
    private readonly snapshots?: Snapshots,
    private readonly limit = 20_000,
  ) {}

  /** The fold as this process last saw it. It may be behind; an append that expects its revision finds out. */
  cached<State>(stream: string): Aggregate<State> | undefined {
    return this.cache.get(stream) as Aggregate<State> | undefined;
  }

  /** The fold as it was at most `maxAgeMs` ago: what another process changed since then is not in it. */
  async recent<State>(decider: Decider<State>, stream: string, maxAgeMs: number): Promise<Aggregate<State>> {
    const age = performance.now() - (this.loadedAt.get(stream) ?? -Infinity);
    return (age <= maxAgeMs ? this.cached<State>(stream) : undefined) ?? (await this.load(decider, stream));
  }

  /** The fold with everything the log holds now: reads on from what is cached. */
  async load<State>(decider: Decider<State>, stream: string): Promise<Aggregate<State>> {
    const cached = this.cached<State>(stream);
    const aggregate = await (cached ? this.readOn(decider, stream, cached) : this.readFirst(decider, stream));
    this.keep(stream, aggregate);
    this.loadedAt.set(stream, performance.now());
    return aggregate;
  }

  /** A long stream goes on from its snapshot where it has a good one; all others are just read. */
  private async readFirst<State>(decider: Decider<State>, stream: string): Promise<Aggregate<State>> {
    const empty = emptyAggregate(decider);
    if (!this.snapshots) return this.readOn(decider, stream, empty);
    try {
      const beginning = await this.readOn(decider, stream, empty, longStream);
      if (beginning.revision + 1n < longStream) return beginning;
      if (!beginning.isWhole) this.snapshots.forget(stream);
      const kept = beginning.isWhole ? ((await this.snapshots.find(stream)) as Aggregate<State> | undefined) : undefined;
      return (kept && (await this.resume(decider, stream, kept))) ?? (await this.readOn(decider, stream, beginning));
    } catch (error) {
      if (error instanceof StreamDeleted) this.snapshots.forget(stream);
      throw error;
    }
  }

  /** The fold from a snapshot on; undefined when the stream does not hold the event that the snapshot ends with. */
  private async resume<State>(decider: Decider<State>, stream: string, kept: Aggregate<State>): Promise<Aggregate<State> | undefined> {
    for await (const { id, revision } of this.eventStore.readStream(stream, { from: kept.revision, limit: 1 })) {
      if (id !== kept.lastId || revision !== kept.revision) return undefined;
      this.snapshotOf.set(stream, kept.revision + 1n);
      return this.readOn(decider, stream, kept);
    }
    return undefined;
  }

  private async readOn<State>(decider: Decider<State>, stream: string, aggregate: Aggregate<State>, limit?: number): Promise<Aggregate<State>> {
    const from = aggregate.revision < 0n ? 'start' : aggregate.revision + 1n;
    let events: StoredEvent[] = [];
    for await (const event of this.eventStore.readStream(stream, { from, limit })) {
      events.push(event);
      if (events.length < eventsAtOnce) continue;
      aggregate = advance(decider, aggregate, events);
      events = [];
    }
    return advance(decider, aggregate, events);
  }

  keep(stream: string, aggregate: Aggregate): void {
    const known = this.cache.get(stream);
    if (known && known.revision > aggregate.revision) return;
    if (this.snapshots && isWorthKeeping(aggregate, this.snapshotOf.get(stream) ?? 0n)) {
      this.snapshotOf.set(stream, aggregate.revision + 1n);
      this.snapshots.keep(stream, aggregate);
    }
    this.cache.delete(stream);
    this.cache.set(stream, aggregate);
    if (this.cache.size > this.limit) this.forget(this.cache.keys().next().value!);
  }

  private forget(stream: string): void {
    this.cache.delete(stream);
    this.loadedAt.delete(stream);
    this.snapshotOf.delete(stream);
  }
}

/** The aggregate of a stream that has no events yet. */
export const emptyAggregate = <State>(decider: Decider<State>): Aggregate<State> => ({
  state: decider.initialState,
  revision: -1n,
  position: startOfLog,
  lastId: '',
  isWhole: true,
  commands: new Map(),
});

type Folded = Readable & Pick<StoredEvent, 'id'>;

/** Folds further events of the stream into the aggregate. */
export function advance<State>(decider: Decider<State>, aggregate: Aggregate<State>, events: readonly Folded[]): Aggregate<State> {
  const [first, last] = [events[0], events.at(-1)];
  if (!first || !last) return aggregate;
  const isWhole = aggregate.isWhole && first.revision === aggregate.revision + 1n;
  let { state } = aggregate;
  const commands = new Map(aggregate.commands);
  for (const event of events) {
    const { metadata, revision, position } = event;
    state = evolveStored(decider, state, event);
    if (typeof metadata['commandId'] !== 'string') continue;
    commands.delete(metadata['commandId']);
    commands.set(metadata['commandId'], { revision, position: formatPosition(position), bodyHash: metadata['bodyHash'] as string | undefined });
    if (commands.size > rememberedCommands) commands.delete(commands.keys().next().value!);
  }
  return { state, revision: last.revision, position: last.position, lastId: last.id, isWhole, commands };
}
