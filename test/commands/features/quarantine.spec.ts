import { describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { discardQuarantinedRows } from '../../../src/commands/features/quarantine/discard.js';
import { mendQuarantinedRow } from '../../../src/commands/features/quarantine/mend.js';
import type { RequestContext } from '../../../src/commands/kit/command.js';
import type { RecordedCommand } from '../../../src/commands/kit/idempotency.js';
import { commandIdOf } from '../../../src/commands/kit/metadata.js';
import { memoryLog } from './memory-log.js';

const owner: RequestContext = { caller: { actor: 'key:owner', may: () => true } };
const id = randomUUID();

/** Two processes over one log and one quarantine; what one has done, the command log of the other holds when it has caught up. */
function twoProcesses() {
  const waiting = new Set<string>([id]);
  const [log, projected, done] = [memoryLog(), new Map<string, RecordedCommand>(), new Map<string, RecordedCommand>()];
  const quarantine = {
    find: async () => (waiting.has(id) ? { id, project: 'p', group: 'g', mode: 'BOTH' as const, row: { entity: {}, eventTime: null, values: {} }, faults: [], source: '' } : undefined),
    present: async (_: string, ids: readonly string[]) => ids.filter((one) => waiting.has(one)),
    remove: async (_: string, ids: readonly string[]) => ids.filter((one) => waiting.delete(one)).length,
  };
  const process = () => ({
    quarantine,
    eventStore: log,
    commandLog: { find: async (commandId: string) => projected.get(commandId), remember: (commandId: string, command: RecordedCommand) => void done.set(commandId, command) },
    caughtUp: async () => done.forEach((command, commandId) => projected.set(commandId, command)),
    writer: {
      write: async ({ bodyHash = '' }: { bodyHash?: string }, context: RequestContext) => {
        const commandId = commandIdOf(context);
        done.set(commandId, { bodyHash, position: '7', revision: 0n });
        return { commandId, position: '7', rowsWritten: 1, rowsRejected: 0, rowsQuarantined: 0, faults: [] };
      },
    },
  });
  return { first: process(), other: process(), log };
}

describe('asked of another process, whose read models are behind, a repeat', () => {
  test('of a mend is answered as the first time', async () => {
    const { first, other } = twoProcesses();
    const mend = { project: 'p', id, values: { n: 1 } };
    const answer = await mendQuarantinedRow(first, mend, owner);
    expect(await mendQuarantinedRow(other, mend, owner)).toEqual(answer);
    await expect(mendQuarantinedRow(other, { ...mend, values: { n: 2 } }, owner)).rejects.toMatchObject({ details: { reason: 'ROW_MENDED_BEFORE' } });
  });

  test('of a discard under its key is answered as the first time, and gives nothing up twice', async () => {
    const { first, other, log } = twoProcesses();
    const [discard, keyed] = [{ project: 'p', ids: [id], reason: 'old' }, { ...owner, idempotencyKey: 'once' }];
    const answer = await discardQuarantinedRows(first, discard, keyed);
    expect(await discardQuarantinedRows(other, discard, keyed)).toEqual(answer);
    expect(log.events).toHaveLength(1);
    await expect(discardQuarantinedRows(other, discard, { ...owner, idempotencyKey: 'other' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(discardQuarantinedRows(other, { ...discard, reason: 'older' }, keyed)).rejects.toMatchObject({ details: { reason: 'IDEMPOTENCY_KEY_REUSED' } });
  });
});
