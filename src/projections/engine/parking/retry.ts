import type { PoolClient } from 'pg';
import type { RetryOutcome } from '../../../api/core.js';
import { Refusal } from '../../../domain/kit/index.js';
import { StreamDeleted } from '../../../platform/eventstore/errors.js';
import type { EventStore, StoredEvent } from '../../../platform/eventstore/port.js';
import type { View } from '../../kit/view.js';
import { changeParking } from '../checkpoints.js';
import { insist } from '../failures.js';
import { holdTogether } from '../together.js';
import { inLiveTransaction, withClient } from '../transaction.js';
import type { World } from '../world.js';
import { keyOf, streamKey, withoutNul } from './keys.js';
import { failureOf, messageOf } from './take.js';
import { heldAfter, neverFailed, settle, startOfShelf, type HeldPlace, type Settlement } from './waiting.js';

/** Live projection of the view stands still while so many events are taken up. */
const eventsPerTransaction = 100;

export interface RetryChoice {
  /** The key whose events are tried; all keys without one. */
  readonly key?: string;
  /** The id of an event that is left out. */
  readonly skip?: string;
}

/** Tries parked events again in the order of the log. Where one fails, or is not chosen, what depends on it goes on waiting. */
export async function retryParked(view: View, world: World, choice: RetryChoice, signal: AbortSignal): Promise<RetryOutcome> {
  return withClient(world.pool, (client) => new Retry(view, world, client, choice).run(signal));
}

class Retry {
  /** Keys with an earlier event that still waits. */
  private readonly blocked = new Set<string>();
  private neverFailed: ReadonlySet<string> = new Set();
  private place: HeldPlace = startOfShelf;
  private parking: number | undefined;
  private taken = 0;
  private left = 0;

  constructor(
    private readonly view: View,
    private readonly world: World,
    private readonly client: PoolClient,
    private readonly choice: RetryChoice,
  ) {}

  async run(signal: AbortSignal): Promise<RetryOutcome> {
    const { slowViews, whileSilent, parked } = this.world;
    // An event may be parked because computing took too long: it gets as long as a single event is given at most.
    const takeUp = () => inLiveTransaction(this.client, () => this.takeUp(), slowViews.longest_ms);
    while (!signal.aborted && (await insist(() => (whileSilent ? whileSilent(slowViews.longest_ms, takeUp) : takeUp()))));
    parked.forget();
    return { taken: this.taken, left: this.left };
  }

  /** One transaction with the view's checkpoint held: false when no event is left to look at. */
  private async takeUp(): Promise<boolean> {
    const { client, view } = this;
    await this.requireSameRows();
    this.neverFailed = await neverFailed(client, view.name);
    const held = await heldAfter(client, view.name, this.place, eventsPerTransaction);
    const settlement: Settlement = { taken: [], moved: [], failed: new Map() };
    const last = held.at(-1);
    if (!last) {
      if (await settle(client, view.name, settlement)) await changeParking(client, view);
      return false;
    }
    for (const place of held) await this.tryOne(place, settlement);
    await settle(client, view.name, settlement);
    if (settlement.taken.length > 0 || settlement.moved.length > 0) {
      await changeParking(client, view);
      this.parking!++;
    }
    this.place = last;
    this.taken += settlement.taken.length;
    this.left += held.length - settlement.taken.length;
    return true;
  }

  /**
   * What is known of blocked keys holds only while nobody else takes up events or replaces the rows. The slices stand at
   * one position: an event may wait for one of another slice that would otherwise not be parked yet.
   */
  private async requireSameRows(): Promise<void> {
    const checkpoint = await holdTogether(this.client, this.view, this.world);
    if (!checkpoint) {
      throw new Refusal('FAILED_PRECONDITION', `View ${this.view.name} is not built in this version yet`, { reason: 'VIEW_NOT_BUILT' });
    }
    this.parking ??= checkpoint.parking;
    if (checkpoint.parking !== this.parking) throw new Refusal('ABORTED', `Somebody else takes up the parked events of ${this.view.name}; try again`, { reason: 'CONCURRENT_CHANGES' });
  }

  private async tryOne(place: HeldPlace, { taken, moved, failed }: Settlement): Promise<void> {
    const { view, client, blocked, choice } = this;
    const event = await readEvent(this.world.eventStore, place);
    // What its owner has deleted from the log is not there for a rebuild either.
    if (!event || event.id === choice.skip) return void taken.push(place);
    const key = keyOf(view, event);
    if (key !== place.key) moved.push({ ...place, key });
    const failure = this.mayTry(place.key, key, event) ? await failureOf({ view, tx: { client, table: (name) => name } }, [event]) : 'waits';
    if (!failure) return void taken.push(place);
    if (failure !== 'waits') failed.set(key, withoutNul(messageOf(failure.cause)));
    blocked.add(key);
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
