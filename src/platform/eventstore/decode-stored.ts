import { decode, Refusal, type Decider, type EventDefinition, type EventOf } from '../../domain/kit/index.js';
import { formatPosition, type StoredEvent } from './port.js';

/** What of a stored event it takes to read it, or to say which one cannot be read. */
export type Readable = Pick<StoredEvent, 'stream' | 'revision' | 'position' | 'type' | 'data' | 'metadata'>;

/** An event that this release can make nothing of, because it is damaged or of a newer one: no repeat gets past it. */
export class UndecodableEvent extends Refusal {
  override readonly cause: unknown;

  constructor({ stream, revision, position, type }: Omit<Readable, 'data' | 'metadata'>, cause: unknown) {
    const place = { stream, revision: `${revision}`, position: formatPosition(position), type };
    const why = cause instanceof Error ? cause.message : String(cause);
    super(
      'FAILED_PRECONDITION',
      `Stream ${stream} cannot be read because of its event ${revision}, at position ${place.position}: ${why}. ` +
      `Look at it with \`tarl replay --filter stream=${stream}\`; run the release that wrote it, or restore the log from a backup`,
      { reason: 'UNDECODABLE_EVENT', metadata: place },
    );
    this.cause = cause;
  }
}

/** A stored event as the domain sees it, of its latest version; throws UndecodableEvent. */
export function decodeStored<Definition extends EventDefinition>(definition: Definition, event: Readable): EventOf<Definition> {
  try {
    return decode(definition, Number(event.metadata['version'] ?? 1), event.data);
  } catch (error) {
    throw new UndecodableEvent(event, error);
  }
}

/** The state after one more event of the stream; throws UndecodableEvent. */
export function evolveStored<State>(decider: Decider<State>, state: State, event: Readable): State {
  const definition = decider.events.find(({ type }) => type === event.type);
  if (!definition) throw new UndecodableEvent(event, new Error(`this release does not know the type ${event.type} in a ${decider.category} stream`));
  return decider.evolve(state, decodeStored(definition, event));
}
