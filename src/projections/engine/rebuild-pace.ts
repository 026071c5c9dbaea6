import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Pool } from 'pg';
import { readsName } from '../../platform/postgres/pool.js';
import { pause, unlessAborted } from './pause.js';

/** How much of the machine rebuilds may take. */
export interface RebuildLimits {
  /** The share of the time that a rebuild works while queries come, 0 to 1. Without queries it works all the time. */
  readonly share: number;
  /** How much of a fold is held in memory; beyond it the fold is written, and the rest of the log goes through the tables. */
  readonly memory_bytes: number;
}

export const defaultLimits: RebuildLimits = { share: 0.05, memory_bytes: 768 * 1024 * 1024 };

/** Queries are taken to go on for as long after the last one. */
const trafficLasts_ms = 250;

/** Knows whether anybody asks: here, whoever reads takes a connection out of the pool of reads; of other processes Postgres knows. */
export class Traffic {
  private askedAt = -Infinity;
  private lookedAt = -Infinity;

  constructor(
    reads: Pool | undefined,
    private readonly pool: Pool,
    private readonly now: () => number = () => performance.now(),
  ) {
    reads?.on('acquire', () => (this.askedAt = this.now()));
  }

  get flows(): boolean {
    return this.now() - this.askedAt < trafficLasts_ms;
  }

  /** Looks for queries of other processes, unless it has just looked. */
  async look(): Promise<void> {
    if (this.flows || this.now() - this.lookedAt < trafficLasts_ms) return;
    this.lookedAt = this.now();
    const { rows } = await this.pool.query(selectReads, [readsName]);
    if (rows.length > 0) this.askedAt = this.now();
  }
}

const selectReads = `select 1 from pg_stat_activity where application_name = $1 and datname = current_database() and state_change > clock_timestamp() - interval '${trafficLasts_ms} milliseconds' limit 1`;

/** A turn is how long a rebuild keeps the process from answering others. */
const turn_ms = 8;
const turnInTraffic_ms = 1;
const longestRest_ms = 1000;

export type Surroundings = Pick<Traffic, 'flows' | 'look'>;

/** Divides the time between a rebuild and those who ask: after each turn of work it rests, while they ask for many times as long. */
export class Pace {
  private since: number;

  constructor(
    private readonly traffic: Surroundings,
    private readonly share: number,
    private readonly signal: AbortSignal,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.since = now();
  }

  /** The turn is long enough; waiting for the stores counts as work, because they work then. */
  get isDue(): boolean {
    return this.now() - this.since >= (this.traffic.flows ? turnInTraffic_ms : turn_ms);
  }

  /** Ends a turn that is long enough. */
  async rest(): Promise<void> {
    if (!this.isDue) return;
    const worked = this.now() - this.since;
    await unlessAborted(this.traffic.look(), this.signal);
    const rest_ms = this.restAfter(worked);
    if (rest_ms > 0) await pause(rest_ms, this.signal);
    else await nextTurn();
    this.since = this.now();
  }

  /** How long to rest after so much work, in milliseconds. */
  restAfter(worked_ms: number): number {
    return this.traffic.flows ? Math.min(longestRest_ms, (worked_ms * (1 - this.share)) / this.share) : 0;
  }
}
