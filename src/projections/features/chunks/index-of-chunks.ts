import type { Pool } from 'pg';
import { earliestEventTimeUs, latestEventTimeUs } from '../../../domain/features/values.js';
import { comparePositions, startOfLog, type Position } from '../../../platform/eventstore/port.js';
import { keyHash } from './key-hash.js';
import { featureChunksView } from './view.js';

/** An event that deletes a wanted entity, or may hold rows of it at or before the wanted moment. */
export interface ChunkPlace {
  readonly revision: bigint;
  /** The latest event time in it; of a deletion the latest that there can be. */
  readonly toUs: number;
}

/** The events of a stream that are worth reading, latest event time first, and the first revision that is not listed yet. */
export interface Listed {
  /** At most as many as were asked for; there may then be more. */
  readonly chunks: readonly ChunkPlace[];
  readonly next: bigint;
}

/** The lists of several streams, in the order in which they were asked for, and up to where the log is in them. */
export interface ListedChunks {
  readonly streams: readonly Listed[];
  readonly reached: Position;
}

/** Entities of a stream, by their encoded keys. */
export interface StreamKeys {
  readonly stream: string;
  readonly keys: readonly string[];
}

// What the view could not take is listed too: whoever reads the event sees what is in it, or what is wrong with it.
// The lists, their ends and the view's place are of one moment: one statement sees one state of the tables.
const listChunks = {
  name: 'list feature chunks',
  text: `select chunks, last::text, (select json_agg(json_build_array(commit_position::text, prepare_position::text)) from projection_checkpoints where view = $5) as places
    from unnest($1::text[], $2::text[]) with ordinality as wanted(stream, keys, nth)
    cross join lateral (select max(revision) as last from feature_chunks where stream = wanted.stream) as ends
    cross join lateral (
      with candidates as (
        select revision, to_us from feature_chunks where stream = wanted.stream and from_us <= $3 and feature_chunks.keys && wanted.keys::integer[]
        union all
        (select revision, to_us from feature_chunks where stream = wanted.stream and from_us <= $3 and feature_chunks.keys is null order by to_us desc limit $4)
        union all
        select revision, $6::bigint from projection_parked_events where view = $5 and not shadow and stream = wanted.stream
      ), latest as (select * from candidates order by to_us desc, revision desc limit $4)
      select coalesce(json_agg(json_build_array(revision::text, to_us) order by to_us desc, revision desc), '[]') as chunks from latest
    ) as listed
    order by nth`,
};

// Deletions are listed under all times; those before the first recent row have nothing left to hide.
const firstRecent = {
  name: 'first recent feature chunk',
  text: `select coalesce(min(revision) filter (where to_us > $2 and not (from_us = $3 and to_us = $4)), max(revision) + 1, 0)::text as first from feature_chunks where stream = $1`,
};

/** Asks the view `feature-chunks` for the first revision of a stream from which on rows may have an event time after a moment. */
export async function recentFrom(pool: Pool, stream: string, sinceUs: number): Promise<bigint> {
  const { rows } = await pool.query({ ...firstRecent, values: [stream, sinceUs, earliestEventTimeUs, latestEventTimeUs] });
  return BigInt((rows[0] as { first: string }).first);
}

/** Asks the view `feature-chunks` for the events that delete entities of streams or may hold rows of them at or before a moment. */
export async function chunksOf(pool: Pool, wanted: readonly StreamKeys[], untilUs: number, most: number): Promise<ListedChunks> {
  const hashes = wanted.map(({ stream, keys }) => `{${keys.map((key) => keyHash(stream, key)).join()}}`);
  const { rows } = await pool.query({ ...listChunks, values: [wanted.map(({ stream }) => stream), hashes, untilUs, most, featureChunksView.name, latestEventTimeUs] });
  const listed = rows as { last: string | null; chunks: [string, number][]; places: [string, string][] | null }[];
  return {
    streams: listed.map(({ last, chunks }) => ({ next: last === null ? 0n : BigInt(last) + 1n, chunks: chunks.map(([revision, toUs]) => ({ revision: BigInt(revision), toUs })) })),
    reached: (listed[0]?.places ?? []).map(([commit, prepare]) => ({ commit: BigInt(commit), prepare: BigInt(prepare) })).sort(comparePositions)[0] ?? startOfLog,
  };
}
