import type { PoolClient } from 'pg';
import type { RetryOutcome } from '../../../api/core.js';
import { Refusal } from '../../../domain/kit/index.js';
import type { View } from '../../kit/view.js';
import { changeParking } from '../checkpoints.js';
import { insist } from '../failures.js';
import { holdTogether } from '../together.js';
import { inLiveTransaction, withClient } from '../transaction.js';
import type { World } from '../world.js';
import { Shelf } from './shelf.js';
import { TakingUp, type RetryChoice } from './taking-up.js';

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
      if (!retry?.work.ranOver) throw error;
      taken += retry.work.taken;
    }
  }
}

class Retry {
  readonly work: TakingUp;
  private parking: number | undefined;

  constructor(
    private readonly view: View,
    private readonly world: World,
    private readonly client: PoolClient,
    choice: RetryChoice,
  ) {
    this.work = new TakingUp(view, world, { client, table: (name) => name }, new Shelf(view), choice);
  }

  async run(signal: AbortSignal): Promise<RetryOutcome> {
    while (!signal.aborted && (await insist(() => inLiveTransaction(this.client, () => this.takeUp()))));
    this.world.parked.forget();
    return { taken: this.work.taken, left: this.work.left };
  }

  /** One transaction with the view's checkpoint held: false when no event is left to look at. */
  private async takeUp(): Promise<boolean> {
    await this.requireSameRows();
    const { changed, ended } = await this.work.next();
    if (changed) {
      await changeParking(this.client, this.view);
      this.parking!++;
    }
    return !ended;
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
}
