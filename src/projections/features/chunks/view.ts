import { decodeChunk, featureRowsWritten } from '../../../domain/features/chunk.js';
import { featureEntityDeleted } from '../../../domain/features/deletion.js';
import { earliestEventTimeUs, latestEventTimeUs } from '../../../domain/features/values.js';
import { decode } from '../../../domain/kit/index.js';
import type { StoredEvent } from '../../../platform/eventstore/port.js';
import { copyRows } from '../../engine/copy.js';
import type { View, ViewBuild, ViewTransaction } from '../../kit/view.js';
import { arrayText } from '../online/array-text.js';
import { hashOf } from './key-hash.js';

const tableName = 'feature_chunks';
const columns = ['stream', 'revision', 'from_us', 'to_us', 'keys'];

/** A chunk with more keys is listed without them: it is looked at for every entity, and few such chunks hold many rows. */
const mostKeys = 512;

/** A row of the table as texts; null keys stand for any. */
type ChunkRow = readonly [stream: string, revision: string, fromUs: string, toUs: string, keys: string | null];

/** Which event holds rows of which entities and times, or deletes one, so that a read of the past need not replay a whole partition. */
export const featureChunksView: View = {
  name: 'feature-chunks',
  version: 1,
  tables: [tableName],
  eventTypes: [featureRowsWritten.type, featureEntityDeleted.type],
  touches: ({ stream, revision }, { key }) => stream === key['stream'] && revision === key['revision'],
  project: (events, tx) => insert(events.map(rowOf), tx),
  startBuild: (): ViewBuild => {
    let rows: ChunkRow[] = [];
    let characters = 0;
    return {
      add: (event) => {
        const row = rowOf(event);
        rows.push(row);
        characters += row[0].length + (row[4]?.length ?? 0);
      },
      get heldBytes() {
        return characters * 2 + rows.length * 300;
      },
      write: async (tx) => {
        await copyRows(tx, { name: tableName, key: ['stream', 'revision'] }, columns, () => rows);
        rows = [];
        characters = 0;
      },
    };
  },
};

function rowOf({ stream, revision, type, data, metadata }: StoredEvent): ChunkRow {
  if (type === featureEntityDeleted.type) return deletionRow(stream, revision, decode(featureEntityDeleted, Number(metadata['version'] ?? 1), data).data.key);
  const { rows, timeUs, keys } = decodeChunk(data, Number(metadata['version'] ?? 1));
  let fromUs = timeUs[0]!;
  let toUs = timeUs[0]!;
  for (let row = 1; row < rows; row++) {
    const time = timeUs[row]!;
    if (time < fromUs) fromUs = time;
    else if (time > toUs) toUs = time;
  }
  return [stream, `${revision}`, `${fromUs}`, `${toUs}`, keys.length > mostKeys ? null : hashesOf(stream, keys)];
}

/** A deletion concerns rows of all times, so it is listed before them. */
const deletionRow = (stream: string, revision: bigint, key: string): ChunkRow => [stream, `${revision}`, `${earliestEventTimeUs}`, `${latestEventTimeUs}`, hashesOf(stream, [key])];

function hashesOf(stream: string, keys: readonly string[]): string {
  const seed = hashOf('\n', hashOf(stream));
  return `{${keys.map((key) => hashOf(key, seed)).join()}}`;
}

const insertStatement = (name: string) => ({
  name: `insert ${name}`,
  text: `insert into "${name}" (stream, revision, from_us, to_us, keys)
    select stream, revision, from_us, to_us, keys::integer[]
    from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[]) as chunk(stream, revision, from_us, to_us, keys)
    on conflict do nothing`,
});

async function insert(rows: readonly ChunkRow[], tx: ViewTransaction): Promise<void> {
  if (rows.length === 0) return;
  await tx.client.query({ ...insertStatement(tx.table(tableName)), values: columns.map((_, column) => arrayText(rows.map((row) => row[column] ?? null))) });
}
