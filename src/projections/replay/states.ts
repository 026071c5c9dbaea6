import type { Decider } from '../../domain/kit/index.js';
import { evolveStored } from '../../platform/eventstore/decode-stored.js';
import type { EventStore, StoredEvent } from '../../platform/eventstore/port.js';

/** So many streams are kept folded; another one is read again when it comes back. */
const keptStreams = 10_000;

interface Folded {
  readonly state: unknown;
  readonly revision: bigint;
}

/** The state of a stream right after one of its events, or why it cannot be told. */
export type StateAfter = { readonly state: unknown } | { readonly stateError: string };

/** Folds the streams whose events a replay tells, each with the decider of its category. */
export class States {
  private readonly folds = new Map<string, Folded>();
  private readonly byCategory: ReadonlyMap<string, Decider>;

  constructor(
    private readonly eventStore: Pick<EventStore, 'readStream'>,
    deciders: readonly Decider[],
  ) {
    this.byCategory = new Map(deciders.map((decider) => [decider.category, decider]));
  }

  /** Undefined for a stream that has no decider. Events that the replay leaves out count too. */
  async after(event: StoredEvent): Promise<StateAfter | undefined> {
    const { stream, revision } = event;
    const decider = this.byCategory.get(stream.slice(0, stream.indexOf('-')));
    if (!decider) return undefined;
    let folded = this.folds.get(stream) ?? { state: decider.initialState, revision: -1n };
    try {
      if (folded.revision + 1n < revision) folded = await this.catchUp(decider, folded, event);
      folded = fold(decider, folded, event);
    } catch (error) {
      return { stateError: error instanceof Error ? error.message : String(error) };
    }
    this.keep(stream, folded);
    return { state: folded.state };
  }

  private async catchUp(decider: Decider, folded: Folded, { stream, revision }: StoredEvent): Promise<Folded> {
    for await (const earlier of this.eventStore.readStream(stream, { from: folded.revision + 1n, limit: Number(revision - folded.revision - 1n) })) {
      if (earlier.revision >= revision) break;
      folded = fold(decider, folded, earlier);
    }
    return folded;
  }

  private keep(stream: string, folded: Folded): void {
    this.folds.delete(stream);
    this.folds.set(stream, folded);
    if (this.folds.size > keptStreams) this.folds.delete(this.folds.keys().next().value!);
  }
}

const fold = (decider: Decider, { state }: Folded, event: StoredEvent): Folded => ({ state: evolveStored(decider, state, event), revision: event.revision });
