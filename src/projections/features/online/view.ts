import { decodeChunk, featureRowsWritten } from '../../../domain/features/chunk.js';
import { featureEntityDeleted } from '../../../domain/features/deletion.js';
import { decode } from '../../../domain/kit/index.js';
import type { StoredEvent } from '../../../platform/eventstore/port.js';
import { copyRows } from '../../engine/copy.js';
import type { TableShape, View, ViewBuild, ViewTransaction } from '../../kit/view.js';
import { arrayText } from './array-text.js';
import { LatestRows } from './latest.js';
import { unpackRow } from './packed-row.js';

const table: TableShape = {
  name: 'feature_online',
  columns: [
    { name: 'scope', property: 'scope', type: 'uuid', nullable: false },
    { name: 'key', property: 'key', type: 'text', nullable: false },
    { name: 'event_time_us', property: 'timeUs', type: 'bigint', nullable: false },
    { name: 'feature_values', property: 'values', type: 'text', nullable: false },
  ],
  key: ['scope', 'key'],
};
const columns = table.columns.map(({ name }) => name);

/** The latest row of every entity of every group that was written to be read online. */
export const featureOnlineView: View = {
  name: 'feature-online',
  version: 1,
  tables: [table.name],
  shapes: [table],
  eventTypes: [featureRowsWritten.type, featureEntityDeleted.type],
  shows: (column, text) => (column === 'feature_values' ? shownRow(text) : text),
  touches: (event, { key: { scope, key } }) => {
    const latest = new LatestRows();
    addTo(latest, event);
    return latest.deletions.some(([of, gone]) => of === scope && gone === key) || latest.holds(String(scope), String(key));
  },
  project: async (events, tx) => {
    const latest = new LatestRows();
    for (const event of events) addTo(latest, event);
    await removeDeleted(latest, tx);
    await merge(latest, tx);
  },
  startBuild: (): ViewBuild => {
    const latest = new LatestRows();
    return {
      add: (event) => addTo(latest, event),
      get heldBytes() {
        return latest.heldBytes;
      },
      write: async (tx) => {
        await copyRows(tx, table, columns, () => latest.texts());
        latest.clear();
      },
    };
  },
};

/** What somebody else wrote into the table may not be a row at all. */
function shownRow(packed: string): string {
  try {
    return JSON.stringify(unpackRow(packed));
  } catch {
    return packed;
  }
}

function addTo(latest: LatestRows, { type, data, metadata }: StoredEvent): void {
  const version = Number(metadata['version'] ?? 1);
  if (type === featureEntityDeleted.type) latest.delete(decode(featureEntityDeleted, version, data).data);
  else latest.add(decodeChunk(data, version));
}

const deleteStatement = (name: string) => ({
  name: `delete ${name}`,
  text: `delete from "${name}" as held using unnest($1::uuid[], $2::text[]) as gone(scope, key) where held.scope = gone.scope and held.key = gone.key`,
});

/** Before the merge: what was written after a deletion counts however old it is. */
async function removeDeleted({ deletions }: LatestRows, tx: ViewTransaction): Promise<void> {
  if (deletions.length === 0) return;
  const values = [deletions.map(([scope]) => scope), deletions.map(([, key]) => key)].map(arrayText);
  await tx.client.query({ ...deleteStatement(tx.table(table.name)), values });
}

/** A stored row stays only where it is newer; at the same event time the later write wins. */
const mergeStatement = (name: string) => ({
  name: `merge ${name}`,
  text: `insert into "${name}" as held (scope, key, event_time_us, feature_values)
    select * from unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[])
    on conflict (scope, key) do update set event_time_us = excluded.event_time_us, feature_values = excluded.feature_values
    where held.event_time_us <= excluded.event_time_us`,
});

async function merge(latest: LatestRows, tx: ViewTransaction): Promise<void> {
  if (latest.size === 0) return;
  const values: string[][] = [[], [], [], []];
  for (const row of latest.texts()) row.forEach((text, column) => values[column]!.push(text));
  await tx.client.query({ ...mergeStatement(tx.table(table.name)), values: values.map(arrayText) });
}
