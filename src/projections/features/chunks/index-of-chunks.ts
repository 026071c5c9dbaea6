import type { Pool } from 'pg';
import { earliestEventTimeUs, latestEventTimeUs } from '../../../domain/features/values.js';
import { keyHash } from './key-hash.js';

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

// The list and its end are of one moment: one statement sees one state of the table.
const listChunks = {
  name: 'list feature chunks',
  text: `with candidates as (
      select revision, to_us from feature_chunks where stream = $1 and from_us <= $2 and keys && $3::integer[]
      union all
      (select revision, to_us from feature_chunks where stream = $1 and from_us <= $2 and keys is null order by to_us desc limit $4)
    ), latest as (select * from candidates order by to_us desc, revision desc limit $4)
    select (select max(revision) from feature_chunks where stream = $1)::text as last,
      (select coalesce(json_agg(json_build_array(revision::text, to_us) order by to_us desc, revision desc), '[]') from latest) as chunks`,
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

/** Asks the view `feature-chunks` for the events that delete these entities or may hold rows of them at or before a moment. */
export async function chunksOf(pool: Pool, stream: string, keys: readonly string[], untilUs: number, most: number): Promise<Listed> {
  const { rows } = await pool.query({ ...listChunks, values: [stream, untilUs, keys.map((key) => keyHash(stream, key)), most] });
  const [{ last, chunks }] = rows as [{ last: string | null; chunks: [string, number][] }];
  return { next: last === null ? 0n : BigInt(last) + 1n, chunks: chunks.map(([revision, toUs]) => ({ revision: BigInt(revision), toUs })) };
}
