import { z } from 'zod';
import type { StoredEvent } from '../../platform/eventstore/port.js';
import { KeyedTable, type Row } from '../engine/keyed-table.js';
import type { View } from '../kit/view.js';

const table = new KeyedTable('log_times', z.object({ commitPosition: z.bigint(), preparePosition: z.bigint(), recordedAt: z.iso.datetime() }), ['commitPosition', 'preparePosition']);

/**
 * When some places of the log were written, to find the place of a time without reading the log up to it. About one
 * event in 256 is kept, chosen by the last digits of its id: every process and every rebuild chooses the same ones, and
 * live projection writes nothing for all the others.
 */
export const logTimesView: View = {
  name: 'log-times',
  version: 1,
  tables: [table.shape.name],
  shapes: [table.shape],
  eventTypes: 'all',
  project: (events, tx) => table.save(tx, events.filter(isKept).map(rowOf)),
  startBuild: () => {
    const rows: Row[] = [];
    return {
      add: (event) => void (isKept(event) && rows.push(rowOf(event))),
      get heldBytes() {
        return rows.length * bytesPerRow;
      },
      async write(tx) {
        await table.copy(tx, rows);
        rows.length = 0;
      },
    };
  },
};

const bytesPerRow = 200;
const isKept = ({ id }: StoredEvent): boolean => id.endsWith('00');
const rowOf = ({ position, recordedAt }: StoredEvent): Row => ({ commitPosition: position.commit, preparePosition: position.prepare, recordedAt: recordedAt.toISOString() });
