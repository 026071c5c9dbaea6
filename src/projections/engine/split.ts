import { Refusal } from '../../domain/kit/index.js';
import type { View } from '../kit/view.js';
import { putSlices } from './checkpoints.js';
import { insist } from './failures.js';
import { mostSlices } from './slices.js';
import { holdTogether } from './together.js';
import { inLiveTransaction, withClient } from './transaction.js';
import type { World } from './world.js';

/** Splits a view into so many slices, at one position and in one transaction: no event is missed or comes twice. Whoever projects the view takes them up by itself. */
export async function splitView(view: View, slices: number, world: World): Promise<void> {
  if (!Number.isInteger(slices) || slices < 1 || slices > mostSlices) {
    throw new Refusal('INVALID_ARGUMENT', `A view has from 1 to ${mostSlices} slices`, { reason: 'INVALID_SLICES', fields: [{ field: 'slices', description: `takes a whole number from 1 to ${mostSlices}` }] });
  }
  await withClient(world.pool, (client) =>
    insist(() => inLiveTransaction(client, async () => {
      const checkpoint = await holdTogether(client, view, world);
      if (!checkpoint) throw new Refusal('FAILED_PRECONDITION', `View ${view.name} is not built in this version yet`, { reason: 'VIEW_NOT_BUILT' });
      if (checkpoint.slices.length !== slices) await putSlices(client, view, checkpoint, slices);
    })),
  );
  world.parked.forget();
}
