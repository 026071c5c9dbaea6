import type { Core } from '../../core.js';
import { quarantineCommands } from '../../features/quarantine.js';
import type { Observer } from '../../observer.js';
import type { HandwrittenRpc } from '../guard.js';
import { unary } from '../unary.js';

/** The rpcs that mend and discard refused rows; those that list them are derived. */
export function quarantineRpcs(core: Core, observer: Observer): Record<string, HandwrittenRpc> {
  const commands = quarantineCommands(core);
  return {
    MendQuarantinedRow: { handle: unary<object, object>(observer, 'MendQuarantinedRow', (message, context) => commands.mend(given(message), context)) },
    DiscardQuarantinedRows: { handle: unary<object, object>(observer, 'DiscardQuarantinedRows', (message, context) => commands.discard(message, context)) },
  };
}

/** A message that is not set is null. */
const given = (message: object): object => Object.fromEntries(Object.entries(message).filter(([, value]) => value !== null));
