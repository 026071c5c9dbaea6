import { z } from 'zod';
import type { QuarantineEvent } from '../../../domain/features/quarantine/events.js';
import { notWaiting, quarantineDecisions, quarantineStream } from '../../../domain/features/quarantine/state.js';
import { resourceName } from '../../../domain/kit/index.js';
import { formatPosition, type EventStore } from '../../../platform/eventstore/port.js';
import type { RequestContext } from '../../kit/command.js';
import { identityOf, requirePermission } from '../../kit/execute.js';
import { requireSameBody, type RememberingCommandLog } from '../../kit/idempotency.js';
import { eventIdOf, eventMetadata } from '../../kit/metadata.js';
import { parseInput } from '../../kit/validate.js';
import { writePermission } from '../write.js';
import type { Quarantine } from './quarantine.js';

/** Which rows are given up, and why. */
export const discardInput = z.strictObject({ project: resourceName, ids: z.array(z.uuid()).min(1).max(1000), reason: z.string().trim().min(1).max(1024) });

export interface DiscardReply {
  readonly discarded: number;
  /** The position of the event that says who decided it and why. */
  readonly position: string;
}

/** What discarding needs of the platform. */
export interface Discarding {
  readonly quarantine: Pick<Quarantine, 'present' | 'remove'>;
  readonly eventStore: Pick<EventStore, 'append'>;
  readonly commandLog: Pick<RememberingCommandLog, 'find' | 'remember'>;
  /** Resolves when the command log holds what any process has done so far. */
  caughtUp(context: RequestContext): Promise<void>;
}

/**
 * Gives refused rows up. The log says who decided it and why before they go: a crash in between leaves them, and the
 * decision can be made again. Refuses when any of them does not wait; a repeat under its key answers as the first time.
 */
export async function discardQuarantinedRows({ quarantine, eventStore, commandLog, caughtUp }: Discarding, raw: unknown, context: RequestContext): Promise<DiscardReply> {
  const input = parseInput(discardInput, raw);
  const { project, reason } = input;
  requirePermission({ permission: writePermission }, project, context);
  const ids = [...new Set(input.ids)].sort();
  const identity = identityOf({ name: 'DiscardQuarantinedRows' }, input, context);
  const { commandId, bodyHash } = identity;
  const discardedBefore = async () => {
    const recorded = bodyHash === undefined ? undefined : await commandLog.find(commandId);
    if (!recorded) return undefined;
    requireSameBody(recorded, bodyHash!);
    await quarantine.remove(project, ids);
    return { discarded: ids.length, position: recorded.position };
  };
  const before = await discardedBefore();
  if (before) return before;
  const present = new Set(await quarantine.present(project, ids));
  if (present.size < ids.length) {
    // Another process may have given them up under this key a moment ago.
    if (bodyHash !== undefined) await caughtUp(context);
    const meanwhile = await discardedBefore();
    if (meanwhile) return meanwhile;
    throw notWaiting(project, ids.filter((id) => !present.has(id)));
  }
  const discarded: QuarantineEvent = { type: 'QuarantinedRowsDiscarded', data: { project, ids, reason } };
  const { version } = quarantineDecisions.events[0]!;
  const event = { id: eventIdOf(identity, ids.join()), ...discarded, metadata: { ...eventMetadata(identity, context, version, project) } };
  const appended = await eventStore.append(quarantineStream(project), [event], { expected: 'any' });
  const position = formatPosition(appended.position);
  if (bodyHash !== undefined) commandLog.remember(commandId, { bodyHash, position, revision: appended.revision });
  await quarantine.remove(project, ids);
  return { discarded: ids.length, position };
}
