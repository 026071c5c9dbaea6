import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Pool } from 'pg';
import { pause } from './pause.js';

/** How much of the machine rebuilds may take. */
export interface RebuildLimits {
  /** The share of the time that a rebuild works while queries come, 0 to 1. Without queries it works all the time. */
  readonly share: number;
  /** How much of a fold is held in memory; beyond it the fold is written, and the rest of the log goes through the tables. */
  readonly memory_bytes: number;
}

export const defaultLimits: RebuildLimits = { share: 0.1, memory_bytes: 768 * 1024 * 1024 };

/** Queries are taken to go on for as long after the last one. */
const trafficLasts_ms = 250;

/** Knows whether anybody asks: whoever reads takes a connection out of the pool of reads. */
export class Traffic {
  private askedAt = -Infinity;

  constructor(reads?: Pool, private readonly now: () => number = () => performance.now()) {
    reads?.on('acquire', () => (this.askedAt = this.now()));
  }

  get flows(): boolean {
    return this.now() - this.askedAt < trafficLasts_ms;
  }
}

/** A turn is how long a rebuild keeps the process from answering others. */
const turn_ms = 8;
const turnInTraffic_ms = 1;
const longestRest_ms = 1000;

/** Divides the time between a rebuild and those who ask: after each turn of work it rests, while they ask for many times as long. */
export class Pace {
  private since: number;

  constructor(
    private readonly traffic: Pick<Traffic, 'flows'>,
    private readonly share: number,
    private readonly signal: AbortSignal,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.since = now();
  }

  /** Ends a turn that is long enough; waiting for the stores counts as work, because they work then. */
  async rest(): Promise<void> {
    const worked = this.now() - this.since;
    if (worked < (this.traffic.flows ? turnInTraffic_ms : turn_ms)) return;
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
