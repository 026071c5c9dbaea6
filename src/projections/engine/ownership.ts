import { hostname } from 'node:os';
import type { Pool, PoolClient } from 'pg';
import { lockName, memberLock, readLocks, sliceLock } from './locks.js';
import { pause } from './pause.js';
import { choose, fairShare } from './share.js';
import type { Slice } from './slices.js';
import type { EngineLog } from './world.js';

const retry_ms = 500;

/** Where those who wait for positions call: owners write positions that no row goes with but once a second. */
export const calls = 'tarl_position_wanted';

/** How this process is called in the status of the projections. */
export const processName = `${hostname()}:${process.pid}`;

/** What a look at the locks has changed: slices that are this process's own from now on, and those to give away once they rest. */
export interface Change {
  readonly taken: readonly Slice[];
  readonly excess: readonly Slice[];
}

/** The right to project slices, for as long as the connection lives: a session that holds a lock for each of them. */
export class Ownership {
  private readonly ended = new AbortController();
  private readonly held = new Map<string, Slice>();
  private readonly onEnd = () => this.ended.abort();

  constructor(
    private readonly client: PoolClient,
    private readonly log: EngineLog,
    private readonly onCall: () => void,
  ) {
    client.on('error', this.onEnd).on('end', this.onEnd).on('notification', this.onCall);
  }

  /** Aborts when the connection, and with it every lock, is lost. */
  get lost(): AbortSignal {
    return this.ended.signal;
  }

  /** Joins the processes that share the views. */
  async join(name: string): Promise<void> {
    // When the machine of an owner vanishes, Postgres notices within three seconds and lets others own its locks.
    await this.client.query('set tcp_keepalives_idle = 1; set tcp_keepalives_interval = 1; set tcp_keepalives_count = 2');
    await this.client.query(`select set_config('application_name', $1, false), pg_advisory_lock_shared($2, $3)`, [`tarl ${name}`.slice(0, 63), ...memberLock]);
    await this.client.query(`listen ${calls}`);
  }

  /** Takes free slices up to a fair share of all, and names those that are beyond it or no longer there. */
  async balance(all: readonly Slice[]): Promise<Change> {
    const { members, owners, me } = await readLocks(this.client);
    const wanted = new Map(all.map((slice) => [nameOf(slice), slice]));
    const own = [...this.held].filter(([name]) => wanted.has(name)).map(([name]) => wanted.get(name)!);
    const gone = [...this.held].filter(([name]) => !wanted.has(name)).map(([, slice]) => slice);
    const share = fairShare(members, all.length, me);
    if (own.length >= share) return { taken: [], excess: [...gone, ...choose(own, own.length - share, 'most', own)] };
    const free = all.filter((slice) => !owners.has(nameOf(slice)));
    return { taken: await this.lock(choose(free, share - own.length, 'fewest', own)), excess: gone };
  }

  /** Lets another process have the slice. */
  async give(slice: Slice): Promise<void> {
    this.held.delete(nameOf(slice));
    await this.client.query('select pg_advisory_unlock($1, $2)', [...sliceLock(slice.view.name, slice.index)]);
  }

  /** Ends the session, and every lock with it. */
  async release(): Promise<void> {
    try {
      // Closing the session frees the locks too, but only when Postgres gets to it.
      if (!this.lost.aborted) await this.client.query('select pg_advisory_unlock_all()');
    } catch (error) {
      this.log.debug({ err: error }, 'The locks of the projections went with their connection');
    } finally {
      this.client.off('error', this.onEnd).off('end', this.onEnd).off('notification', this.onCall);
      this.client.release(new Error('The session ends with its ownership'));
    }
  }

  private async lock(slices: readonly Slice[]): Promise<Slice[]> {
    if (slices.length === 0) return [];
    const locks = slices.map(({ view, index }) => sliceLock(view.name, index));
    const { rows } = await this.client.query({
      text: `select pg_try_advisory_lock(class, object) as held from unnest($1::integer[], $2::integer[]) with ordinality as wanted(class, object, place) order by place`,
      values: [locks.map(([first]) => first), locks.map(([, second]) => second)],
    });
    const taken = slices.filter((_, place) => rows[place].held);
    for (const slice of taken) this.held.set(nameOf(slice), slice);
    return taken;
  }
}

/** Waits for Postgres and joins those who project. Undefined when the signal aborts first. */
export async function becomeMember(pool: Pool, name: string, log: EngineLog, onCall: () => void, signal: AbortSignal): Promise<Ownership | undefined> {
  while (!signal.aborted) {
    let ownership: Ownership | undefined;
    try {
      ownership = new Ownership(await pool.connect(), log, onCall);
      await ownership.join(name);
      return ownership;
    } catch (error) {
      await ownership?.release();
      log.warn({ err: error }, 'Postgres cannot be reached; the projections wait for it');
    }
    await pause(retry_ms, signal);
  }
  return undefined;
}

const nameOf = ({ view, index }: Slice): string => lockName(view.name, index);
