import { z } from 'zod';
import { Refusal, resourceName } from '../../../domain/kit/index.js';
import type { RequestContext } from '../../kit/command.js';
import { requirePermission } from '../../kit/execute.js';
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

/**
 * Writes a refused row again with other values, like any row. It leaves the quarantine when it is written; where it is
 * refused again, it stays as it was. Repeated, it is written once.
 */
export async function mendQuarantinedRow({ quarantine, writer }: { quarantine: Quarantine; writer: FeatureWriter }, raw: unknown, context: RequestContext): Promise<WriteReply> {
  const mend = parseInput(mendInput, raw);
  const { project, id } = mend;
  requirePermission({ permission: writePermission }, project, context);
  const { group, version, mode, row } = await quarantine.get(project, id);
  const request: WriteRequest = { project, group, ...(version !== undefined && { version }), mode, partial: false, rows: rowsFromJson([mended(row, mend)]) };
  // The row's own key, whoever mends it: an answer that was lost is asked for again.
  const own = Object.create(context, { idempotencyKey: { value: `quarantined-row:${id}` }, causationId: { value: id } }) as RequestContext;
  const reply = await writer.write(request, own).catch(async (error: unknown) => {
    if (!(error instanceof Refusal) || error.details.reason !== 'IDEMPOTENCY_KEY_REUSED') throw error;
    await quarantine.remove(project, [id]);
    throw new Refusal('FAILED_PRECONDITION', `The refused row ${id} was written before, with other values`, { reason: 'ROW_MENDED_BEFORE', metadata: { id } });
  });
  await quarantine.remove(project, [id]);
  return reply;
}

function mended({ entity, eventTime, values: held }: GivenRow, mend: Mend): GivenRow {
  if (mend.whole) return { entity: mend.entity, eventTime: mend.eventTime, values: mend.values };
  const without = ([name]: [string, unknown]) => !mend.without.includes(name);
  return {
    entity: Object.fromEntries(Object.entries({ ...entity, ...mend.entity }).filter(without)),
    eventTime: mend.eventTime ?? eventTime,
    values: Object.fromEntries(Object.entries({ ...held, ...mend.values }).filter(without)),
  };
}
