import type { PoolClient } from 'pg';
import type { RetryOutcome } from '../../../api/core.js';
import { Refusal } from '../../../domain/kit/index.js';
import { StreamDeleted } from '../../../platform/eventstore/errors.js';
import type { EventStore, StoredEvent } from '../../../platform/eventstore/port.js';
import type { View } from '../../kit/view.js';
import { changeParking } from '../checkpoints.js';
import { insist, ViewFailed } from '../failures.js';
import { tookTooLong } from '../slow-views.js';
import { holdTogether } from '../together.js';
import { inLiveTransaction, silence_ms, unlessSilent, withClient } from '../transaction.js';
import type { World } from '../world.js';
import { keyOf, streamKey, withoutNul } from './keys.js';
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

/**
 * Tries parked events again in the order of the log. Where one fails, or is not chosen, what depends on it goes on waiting.
 * It begins anew where the view has computed over one for so long that the connection was lost; that one gets more time.
 */
export async function retryParked(view: View, world: World, choice: RetryChoice, signal: AbortSignal): Promise<RetryOutcome> {
  for (let taken = 0; ; ) {
    let retry: Retry | undefined;
    try {
      const outcome = await withClient(world.pool, (client) => (retry = new Retry(view, world, client, choice)).run(signal));
      return { ...outcome, taken: taken + outcome.taken };
    } catch (error) {
      if (!retry?.ranOver) throw error;
      taken += retry.taken;
    }
  }
}

class Retry {
  /** Keys with an earlier event that still waits. */
  private readonly blocked = new Set<string>();
  private neverFailed: ReadonlySet<string> = new Set();
  private tookTooLong = new Set<string>();
  private place: HeldPlace = startOfShelf;
  private parking: number | undefined;
  private left = 0;
  taken = 0;
  /** True once the connection was lost because the view has computed over an event for longer than that had. */
  ranOver = false;

  constructor(
    private readonly view: View,
    private readonly world: World,
    private readonly client: PoolClient,
    private readonly choice: RetryChoice,
  ) {}

  async run(signal: AbortSignal): Promise<RetryOutcome> {
    while (!signal.aborted && (await insist(() => inLiveTransaction(this.client, () => this.takeUp()))));
    this.world.parked.forget();
    return { taken: this.taken, left: this.left };
  }

  /** One transaction with the view's checkpoint held: false when no event is left to look at. */
  private async takeUp(): Promise<boolean> {
    const { client, view } = this;
    await this.requireSameRows();
    this.neverFailed = await neverFailed(client, view.name);
    this.tookTooLong = await failedWith(client, view.name, tookTooLong(this.world.slowViews.longest_ms));
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
    const failure = this.mayTry(place.key, key, event) ? await this.failureOf(event, place.key) : 'waits';
    if (!failure) return void taken.push(place);
    if (failure !== 'waits') failed.set(key, withoutNul(messageOf(failure.cause)));
    blocked.add(key);
  }

  /** A process that stands still meanwhile is noticed as soon as ever, unless the event is known to need longer. */
  private async failureOf(event: StoredEvent, key: string): Promise<ViewFailed | undefined> {
    const { view, client } = this;
    const { slowViews: { longest_ms, retries }, whileSilent } = this.world;
    const patience_ms = retries.patienceWith(event.id, this.tookTooLong.delete(key));
    if (patience_ms === 0) return new ViewFailed(view.name, [event], new Error(tookTooLong(longest_ms)));
    const attempt = () => failureOf({ view, tx: { client, table: (name) => name } }, [event]);
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
