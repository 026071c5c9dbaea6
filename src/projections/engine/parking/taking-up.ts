import { StreamDeleted } from '../../../platform/eventstore/errors.js';
import type { EventStore, StoredEvent } from '../../../platform/eventstore/port.js';
import type { View, ViewTransaction } from '../../kit/view.js';
import { ViewFailed } from '../failures.js';
import { tookTooLong } from '../slow-views.js';
import { silence_ms, unlessSilent } from '../transaction.js';
import type { World } from '../world.js';
import { keyOf, streamKey, withoutNul } from './keys.js';
import type { Shelf } from './shelf.js';
import { failureOf, messageOf } from './take.js';
import { failedWith, heldAfter, neverFailed, settle, startOfShelf, type HeldPlace, type Settlement } from './waiting.js';

/** Live projection of the view stands still while so many events are taken up. */
const eventsPerTransaction = 100;

export interface RetryChoice {
  /** The key whose events are tried; all keys without one. */
  readonly key?: string;
  /** The id of an event that is left out. */
  readonly skip?: string;
}

/** Takes up the events of a shelf in the order of the log, some in each transaction. Where one fails, or is not chosen, what depends on it goes on waiting. */
export class TakingUp {
  /** Keys with an earlier event that still waits. */
  private readonly blocked = new Set<string>();
  private neverFailed: ReadonlySet<string> = new Set();
  private tookTooLong = new Set<string>();
  private place: HeldPlace = startOfShelf;
  taken = 0;
  left = 0;
  /** True once the connection was lost because the view has computed over an event for longer than that had. */
  ranOver = false;

  constructor(
    private readonly view: View,
    private readonly world: World,
    private readonly tx: ViewTransaction,
    private readonly shelf: Shelf,
    private readonly choice: RetryChoice,
  ) {}

  /** Within a transaction: the next events. Others may take events of the shelf only if something `changed`, and it has been said so. */
  async next(): Promise<{ changed: boolean; ended: boolean }> {
    const { shelf, tx: { client } } = this;
    this.neverFailed = await neverFailed(client, shelf);
    this.tookTooLong = await failedWith(client, shelf, tookTooLong(this.world.slowViews.longest_ms));
    const held = await heldAfter(client, shelf, this.place, eventsPerTransaction);
    const settlement: Settlement = { taken: [], moved: [], failed: new Map() };
    for (const place of held) await this.tryOne(place, settlement);
    const { taken, moved } = settlement;
    const letGo = await settle(client, shelf, settlement);
    this.place = held.at(-1) ?? this.place;
    this.taken += taken.length;
    this.left += held.length - taken.length;
    return { changed: letGo || taken.length > 0 || moved.length > 0, ended: held.length === 0 };
  }

  private async tryOne(place: HeldPlace, { taken, moved, failed }: Settlement): Promise<void> {
    const { view, blocked, choice } = this;
    const event = await readEvent(this.world.eventStore, place);
    // What its owner has deleted from the log is not there for a rebuild either.
    if (!event || event.id === choice.skip) return void taken.push(place);
    const key = keyOf(view, event);
    if (key !== place.key) moved.push({ ...place, key });
    const failure = this.mayTry(place.key, key, event) ? await this.failureOf(event, place.key) : 'waits';
    if (!failure) return void taken.push(place);
    if (failure !== 'waits') failed.set(key, withoutNul(messageOf(failure.cause)));
    blocked.add(key);
  }

  /** A process that stands still meanwhile is noticed as soon as ever, unless the event is known to need longer. */
  private async failureOf(event: StoredEvent, key: string): Promise<ViewFailed | undefined> {
    const { view, tx } = this;
    const { client } = tx;
    const { slowViews: { longest_ms, retries }, whileSilent } = this.world;
    const patience_ms = retries.patienceWith(event.id, this.tookTooLong.delete(key));
    if (patience_ms === 0) return new ViewFailed(view.name, [event], new Error(tookTooLong(longest_ms)));
    const attempt = () => failureOf({ view, tx }, [event]);
    const since = performance.now();
    try {
      if (patience_ms === silence_ms) return await attempt();
      await client.query(unlessSilent(patience_ms));
      const failure = await (whileSilent ? whileSilent(patience_ms, attempt) : attempt());
      await client.query(unlessSilent());
      return failure;
    } catch (error) {
      this.ranOver = retries.isLostTo(event.id, patience_ms, performance.now() - since);
      throw error;
    }
  }

  private mayTry(heldUnder: string, key: string, event: StoredEvent): boolean {
    const { blocked, choice, neverFailed } = this;
    if (blocked.has(key) || blocked.has(streamKey(event))) return false;
    return choice.key === undefined || choice.key === heldUnder || choice.key === key || neverFailed.has(heldUnder);
  }
}

async function readEvent(eventStore: EventStore, { stream, revision, eventId }: HeldPlace): Promise<StoredEvent | undefined> {
  try {
    for await (const event of eventStore.readStream(stream, { from: revision, limit: 1 })) return event.id === eventId ? event : undefined;
  } catch (error) {
    if (!(error instanceof StreamDeleted)) throw error;
  }
  return undefined;
}
