import { z } from 'zod';
import { formatPosition, type StoredEvent } from '../../platform/eventstore/port.js';
import type { View } from '../kit/view.js';
import { KeyedTable, type Row } from './keyed-table.js';
import { streamKey } from './parking/keys.js';

const table = new KeyedTable(
  'command_log',
  z.object({
    commandId: z.uuid(),
    bodyHash: z.string(),
    stream: z.string(),
    revision: z.bigint(),
    position: z.string(),
    recordedAt: z.iso.datetime(),
  }),
  ['commandId'],
);

/** Where each command that may be repeated ended: one row for every command id that came with the hash of its body. */
export const commandLogView: View = {
  name: 'command-log',
  version: 1,
  tables: [table.shape.name],
  shapes: [table.shape],
  eventTypes: 'all',
  keyOf: (event) => idOf(event) ?? streamKey(event),
  touches: ({ metadata }, { key }) => metadata['commandId'] === key['command_id'],
  project: (events, tx) => table.save(tx, [...lastOfEach(events, new Map()).values()]),
  startBuild: () => {
    const rows = new Map<string, Row>();
    return {
      add: (event) => void lastOfEach([event], rows),
      get heldBytes() {
        return rows.size * bytesPerRow;
      },
      write: (tx) => table.copy(tx, rows),
    };
  },
};

const bytesPerRow = 700;
const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/** A command may write several events; its answer is the place of the last one. */
function lastOfEach(events: readonly StoredEvent[], rows: Map<string, Row>): Map<string, Row> {
  for (const event of events) {
    const { metadata: { bodyHash }, stream, revision, position, recordedAt } = event;
    const commandId = idOf(event);
    if (typeof bodyHash !== 'string' || commandId === undefined) continue;
    rows.set(commandId, { commandId, bodyHash, stream, revision, position: formatPosition(position), recordedAt: recordedAt.toISOString() });
  }
  return rows;
}

function idOf({ metadata: { commandId } }: StoredEvent): string | undefined {
  return typeof commandId === 'string' && uuid.test(commandId) ? commandId : undefined;
}
