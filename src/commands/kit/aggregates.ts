import { decode, type Decider, type EventDefinition } from '../../domain/kit/index.js';
import { formatPosition, startOfLog, type EventStore, type Position, type StoredEvent } from '../../platform/eventstore/port.js';

/** What the events of one stream add up to, and where they end. */
export interface Aggregate<State = unknown> {
  readonly state: State;
  /** The last revision folded; -1 for a stream without events. */
  readonly revision: bigint;
  readonly position: Position;
  /** The newest commands of the stream, oldest first: command id → where its last event stands. */
  readonly commands: ReadonlyMap<string, { revision: bigint; position: string; bodyHash?: string }>;
}

/** Streams remember this many of their newest commands, enough to recognise any retry. */
const rememberedCommands = 32;

/** Folds streams, and keeps the newest folds so that most commands read nothing. */
export class Aggregates {
  private readonly cache = new Map<string, Aggregate>();
  private readonly loadedAt = new Map<string, number>();

  constructor(
    private readonly eventStore: EventStore,
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
    let aggregate = this.cached<State>(stream) ?? emptyAggregate(decider);
    const from = aggregate.revision < 0n ? 'start' : aggregate.revision + 1n;
    const events: StoredEvent[] = [];
    for await (const event of this.eventStore.readStream(stream, { from })) events.push(event);
    aggregate = advance(decider, aggregate, events);
    this.keep(stream, aggregate);
    this.loadedAt.set(stream, performance.now());
    return aggregate;
  }

  keep(stream: string, aggregate: Aggregate): void {
    const known = this.cache.get(stream);
    if (known && known.revision > aggregate.revision) return;
    this.cache.delete(stream);
    this.cache.set(stream, aggregate);
    if (this.cache.size > this.limit) this.forget(this.cache.keys().next().value!);
  }

  private forget(stream: string): void {
    this.cache.delete(stream);
    this.loadedAt.delete(stream);
  }
}

/** The aggregate of a stream that has no events yet. */
export const emptyAggregate = <State>(decider: Decider<State>): Aggregate<State> => ({
  state: decider.initialState,
  revision: -1n,
  position: startOfLog,
  commands: new Map(),
});

type Folded = Pick<StoredEvent, 'type' | 'data' | 'metadata' | 'revision' | 'position'>;

/** Folds further events of the stream into the aggregate. */
export function advance<State>(decider: Decider<State>, aggregate: Aggregate<State>, events: readonly Folded[]): Aggregate<State> {
  const last = events.at(-1);
  if (!last) return aggregate;
  let { state } = aggregate;
  const commands = new Map(aggregate.commands);
  for (const { type, data, metadata, revision, position } of events) {
    state = decider.evolve(state, decode(definitionOf(decider, type), Number(metadata['version'] ?? 1), data));
    if (typeof metadata['commandId'] !== 'string') continue;
    commands.delete(metadata['commandId']);
    commands.set(metadata['commandId'], { revision, position: formatPosition(position), bodyHash: metadata['bodyHash'] as string | undefined });
    if (commands.size > rememberedCommands) commands.delete(commands.keys().next().value!);
  }
  return { state, revision: last.revision, position: last.position, commands };
}

function definitionOf(decider: Decider, type: string): EventDefinition {
  const definition = decider.events.find((event) => event.type === type);
  if (definition) return definition;
  throw new Error(`A ${decider.category} stream holds an event of type ${type}, which this release does not know`);
}
