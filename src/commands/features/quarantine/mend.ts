import { z } from 'zod';
import { notWaiting } from '../../../domain/features/quarantine/state.js';
import { Refusal, resourceName } from '../../../domain/kit/index.js';
import type { RequestContext } from '../../kit/command.js';
import { requirePermission } from '../../kit/execute.js';
import { bodyHashOf, type CommandLog } from '../../kit/idempotency.js';
import { commandIdOf } from '../../kit/metadata.js';
import { parseInput } from '../../kit/validate.js';
import type { WriteReply, WriteRequest } from '../incoming.js';
import { rowsFromJson } from '../row-wise.js';
import { writePermission, type FeatureWriter } from '../write.js';
import type { Quarantine } from './quarantine.js';
import type { GivenRow } from './refused-row.js';

const values = z.record(z.string(), z.unknown());

/** What is put in place of what the row holds; what is not named stays. */
export const mendInput = z.strictObject({
  project: resourceName,
  id: z.uuid(),
  entity: values.default({}),
  eventTime: z.unknown().optional(),
  values: values.default({}),
  /** Keys and features that the row should not name at all. */
  without: z.array(z.string().max(256)).max(1000).default([]),
  /** What is given is all of the row: nothing that it held stays. */
  whole: z.boolean().default(false),
});
type Mend = z.output<typeof mendInput>;

/** What mending needs of the platform. */
export interface Mending {
  readonly quarantine: Pick<Quarantine, 'find' | 'remove'>;
  readonly writer: Pick<FeatureWriter, 'write'>;
  readonly commandLog: CommandLog;
  /** Resolves when the command log holds what any process has done so far. */
  caughtUp(context: RequestContext): Promise<void>;
}

/**
 * Writes a refused row again with other values, like any row. It leaves the quarantine when it is written; where it is
 * refused again, it stays as it was. Repeated, it is written once, and answers as the first time.
 */
export async function mendQuarantinedRow(mending: Mending, raw: unknown, context: RequestContext): Promise<WriteReply> {
  const { quarantine, writer } = mending;
  const mend = parseInput(mendInput, raw);
  const { project, id } = mend;
  requirePermission({ permission: writePermission }, project, context);
  // The row's own key, whatever the caller's: an answer that was lost is asked for again. What the row holds never changes, so the mend says which row is written.
  const own = Object.create(context, { idempotencyKey: { value: `quarantined-row:${id}` }, causationId: { value: id } }) as RequestContext;
  const bodyHash = bodyHashOf('MendQuarantinedRow', mend);
  const waiting = await quarantine.find(project, id);
  if (!waiting) return mendedBefore(mending, mend, bodyHash, own);
  const { group, version, mode, row } = waiting;
  const request: WriteRequest = { project, group, ...(version !== undefined && { version }), mode, partial: false, bodyHash, rows: rowsFromJson([mended(row, mend)]) };
  const reply = await writer.write(request, own).catch(async (error: unknown) => {
    if (!(error instanceof Refusal) || error.details.reason !== 'IDEMPOTENCY_KEY_REUSED') throw error;
    await quarantine.remove(project, [id]);
    throw otherValues(id);
  });
  await quarantine.remove(project, [id]);
  return reply;
}

/** The answer of the first time, for a row that its mender has written, in whichever process. */
async function mendedBefore({ commandLog, caughtUp }: Mending, { project, id }: Mend, bodyHash: string, own: RequestContext): Promise<WriteReply> {
  const commandId = commandIdOf(own);
  const recorded = (await commandLog.find(commandId)) ?? (await caughtUp(own).then(() => commandLog.find(commandId)));
  if (!recorded) throw notWaiting(project, [id]);
  if (recorded.bodyHash !== bodyHash) throw otherValues(id);
  return { commandId, position: recorded.position, rowsWritten: 1, rowsRejected: 0, rowsQuarantined: 0, faults: [] };
}

const otherValues = (id: string) => new Refusal('FAILED_PRECONDITION', `The refused row ${id} was written before, with other values`, { reason: 'ROW_MENDED_BEFORE', metadata: { id } });

function mended({ entity, eventTime, values: held }: GivenRow, mend: Mend): GivenRow {
  if (mend.whole) return { entity: mend.entity, eventTime: mend.eventTime, values: mend.values };
  const without = ([name]: [string, unknown]) => !mend.without.includes(name);
  return {
    entity: Object.fromEntries(Object.entries({ ...entity, ...mend.entity }).filter(without)),
    eventTime: mend.eventTime ?? eventTime,
    values: Object.fromEntries(Object.entries({ ...held, ...mend.values }).filter(without)),
  };
}
