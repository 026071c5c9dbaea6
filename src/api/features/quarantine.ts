import { discardQuarantinedRows, type DiscardReply } from '../../commands/features/quarantine/discard.js';
import { mendQuarantinedRow } from '../../commands/features/quarantine/mend.js';
import type { WriteReply } from '../../commands/features/incoming.js';
import type { Core } from '../core.js';
import type { WireContext } from '../operations.js';
import { featureStore } from './store.js';

/** What may be done with refused rows, the same on all wires. */
export interface QuarantineCommands {
  mend(input: unknown, context: WireContext): Promise<WriteReply>;
  discard(input: unknown, context: WireContext): Promise<DiscardReply>;
}

export function quarantineCommands(core: Core): QuarantineCommands {
  const { quarantine, eventStore, commandLog } = core;
  return {
    mend: (input, context) => mendQuarantinedRow({ quarantine, commandLog, writer: featureStore(core).writer }, input, context),
    discard: (input, context) => discardQuarantinedRows({ quarantine, eventStore, commandLog }, input, context),
  };
}
