import { discardQuarantinedRows, type DiscardReply } from '../../commands/features/quarantine/discard.js';
import { mendQuarantinedRow } from '../../commands/features/quarantine/mend.js';
import type { WriteReply } from '../../commands/features/incoming.js';
import type { RequestContext } from '../../commands/kit/command.js';
import { commandLogView } from '../../projections/engine/command-log.js';
import type { Core } from '../core.js';
import type { WireContext } from '../operations.js';
import { featureStore } from './store.js';

/** What may be done with refused rows, the same on all wires. */
export interface QuarantineCommands {
  mend(input: unknown, context: WireContext): Promise<WriteReply>;
  discard(input: unknown, context: WireContext): Promise<DiscardReply>;
}

export function quarantineCommands(core: Core): QuarantineCommands {
  const { quarantine, eventStore, commandLog, projections } = core;
  const caughtUp = async ({ signal }: RequestContext) => projections.waitFor([commandLogView.name], await eventStore.endOfLog(), { signal });
  return {
    mend: (input, context) => mendQuarantinedRow({ quarantine, commandLog, caughtUp, writer: featureStore(core).writer }, input, context),
    discard: (input, context) => discardQuarantinedRows({ quarantine, eventStore, commandLog, caughtUp }, input, context),
  };
}
