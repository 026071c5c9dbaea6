import { hostname } from 'node:os';
import type { PoolClient } from 'pg';
import type { View } from '../kit/view.js';
import { cutBy, type Connections } from './connections.js';
import { dutyLock, keepersOf, latestOf, lockName, memberLock, readLocks, versionLock } from './locks.js';
import { pause } from './pause.js';
import { choose, fairShare } from './share.js';
import type { Duty } from './slices.js';
import { silence_ms } from './transaction.js';
import type { EngineLog } from './world.js';

const retry_ms = 500;
/** An owner says so often that it lives. */
const ping_ms = 1000;
/** So long before Postgres gives them to others an owner that gets no answer takes its locks for lost. */
const margin_ms = 1000;
const patience_ms = silence_ms - margin_ms;

/** Where those who wait for positions call: owners write positions that no row goes with but once a second. */
export const calls = 'tarl_position_wanted';

/** How this process is called in the status of the projections. */
export const processName = `${hostname()}:${process.pid}`;

/** What a look at the locks has changed: duties that are this process's own from now on, and those to give away once they rest. */
export interface Change {
  readonly taken: readonly Duty[];
  readonly excess: readonly Duty[];
  /** Views that a newer release has in a later version, and in which. */
  readonly newer: ReadonlyMap<View, number>;
}

/** The right to project slices, for as long as the connection lives: a session that holds a lock for each of them. */
export class Ownership {
  private readonly ended = new AbortController();
  private readonly held = new Map<string, Duty>();
  /** For how long it may say nothing, by the work that is under way. */
  private readonly silences: number[] = [];
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

  /** Joins the processes that share the views, and says in which versions it has them. */
  async join(name: string, views: readonly View[]): Promise<void> {
    // When the machine of an owner vanishes, Postgres notices within three seconds and lets others own its locks; when
    // the owner stands still, or something in between swallows what it says, a second later.
    await this.client.query(`set tcp_keepalives_idle = 1; set tcp_keepalives_interval = 1; set tcp_keepalives_count = 2; set idle_session_timeout = ${silence_ms}`);
    await this.client.query(`select set_config('application_name', $1, false), pg_advisory_lock_shared($2, $3)`, [`tarl ${name}`.slice(0, 63), ...memberLock]);
    const versions = views.map(versionLock);
    await this.client.query('select pg_advisory_lock_shared(class, object) from unnest($1::integer[], $2::integer[]) as said(class, object)', [versions.map(([first]) => first), versions.map(([, second]) => second)]);
    await this.client.query(`listen ${calls}`);
    void this.keepSpeaking();
  }

  /**
   * Takes free duties up to a fair share, and names those that are beyond it or no longer there. Duties that only some of
   * the members may have are shared among these.
   */
  async balance(all: readonly Duty[]): Promise<Change> {
    const locks = await readLocks(this.client);
    const known = new Set(all.map(nameOf));
    const excess = [...this.held].filter(([name]) => !known.has(name)).map(([, duty]) => duty);
    const wanted: Duty[] = [];
    const newer = new Map<View, number>();
    const kept = all.map((duty) => ({ duty, keepers: keepersOf(locks, duty) }));
    for (const group of Map.groupBy(kept, ({ keepers }) => keepers.join()).values()) {
      const duties = group.map(({ duty }) => duty);
      const keepers = group[0]!.keepers.map((id) => ({ id, held: duties.filter((duty) => locks.holders.get(nameOf(duty)) === id).length }));
      const own = duties.filter((duty) => this.held.has(nameOf(duty)));
      const share = fairShare(keepers, duties.length, locks.me);
      if (own.length >= share) excess.push(...choose(own, own.length - share, 'most', own));
      else wanted.push(...choose(duties.filter((duty) => !locks.holders.has(nameOf(duty))), share - own.length, 'fewest', own));
    }
    for (const { view } of all) {
      const latest = latestOf(locks, view.name);
      if (latest > view.version) newer.set(view, latest);
    }
    return { taken: await this.lock(wanted), excess, newer };
  }

  /** Lets another process have the duty. */
  async give(duty: Duty): Promise<void> {
    this.held.delete(nameOf(duty));
    await this.client.query('select pg_advisory_unlock($1, $2)', [...dutyLock(duty)]);
  }

  /** Runs work during which the process may say nothing for longer than usual; nobody gets its locks meanwhile. */
  async whileSilent<Result>(longest_ms: number, work: () => Promise<Result>): Promise<Result> {
    this.silences.push(longest_ms);
    try {
      await this.allowSilence();
      return await work();
    } finally {
      this.silences.splice(this.silences.indexOf(longest_ms), 1);
      if (!this.lost.aborted) await this.allowSilence();
    }
  }

  private get silence_ms(): number {
    return Math.max(silence_ms, ...this.silences);
  }

  private async allowSilence(): Promise<void> {
    await this.client.query(`set idle_session_timeout = ${this.silence_ms}`);
  }

  /** Ends the session, and every lock with it. */
  async release(): Promise<void> {
    try {
      // Closing the session frees the locks too, but only when Postgres gets to it.
      if (!this.lost.aborted) await this.client.query('select pg_advisory_unlock_all()');
    } catch (error) {
      this.log.debug({ err: error }, 'The locks of the projections went with their connection');
    } finally {
      this.ended.abort();
      this.client.off('error', this.onEnd).off('end', this.onEnd).off('notification', this.onCall);
      this.client.release(new Error('The session ends with its ownership'));
    }
  }

  /** Says now and then that it lives, for as long as it is answered. */
  private async keepSpeaking(): Promise<void> {
    for (; !this.lost.aborted; await pause(ping_ms, this.lost)) {
      const timer = setTimeout(() => this.lose(), this.silence_ms - margin_ms);
      try {
        await this.client.query('select 1');
      } catch {
        this.lose();
      } finally {
        clearTimeout(timer);
      }
    }
  }

  /** What waits for an answer of this session hears that there will be none. */
  private lose(): void {
    this.ended.abort();
    void this.client.end();
  }

  private async lock(duties: readonly Duty[]): Promise<Duty[]> {
    if (duties.length === 0) return [];
    const locks = duties.map(dutyLock);
    const { rows } = await this.client.query({
      text: `select pg_try_advisory_lock(class, object) as held from unnest($1::integer[], $2::integer[]) with ordinality as wanted(class, object, place) order by place`,
      values: [locks.map(([first]) => first), locks.map(([, second]) => second)],
    });
    const taken = duties.filter((_, place) => rows[place].held);
    for (const duty of taken) this.held.set(nameOf(duty), duty);
    return taken;
  }
}

/** Waits for Postgres and joins those who project. Undefined when the signal aborts first. */
export async function becomeMember(pool: Connections, name: string, views: readonly View[], log: EngineLog, onCall: () => void, signal: AbortSignal): Promise<Ownership | undefined> {
  while (!signal.aborted) {
    let ownership: Ownership | undefined;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), patience_ms);
    try {
      ownership = new Ownership(await cutBy(late.signal, pool).connect(), log, onCall);
      await ownership.join(name, views);
      clearTimeout(timer);
      return ownership;
    } catch (error) {
      clearTimeout(timer);
      await ownership?.release();
      log.warn({ err: error }, 'Postgres cannot be reached; the projections wait for it');
    }
    await pause(retry_ms, signal);
  }
  return undefined;
}

const nameOf = (duty: Duty): string => lockName(dutyLock(duty));
