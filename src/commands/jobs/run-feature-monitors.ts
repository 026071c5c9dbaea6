import type { Pool } from 'pg';
import type { Monitor } from '../../domain/features/monitoring/events.js';
import { formatTimeUs } from '../../domain/features/times.js';
import { isPassing, Refusal } from '../../domain/kit/index.js';
import { defineJob } from '../../platform/jobs/define.js';
import { runScheduledDriftCheckCommand } from '../drift-checks.js';
import { everyMinute } from './every-minute.js';

/** A group that is watched by a schedule: since when, and up to which moment its checks have been asked for. */
interface Watched extends Monitor {
  readonly project: string;
  readonly group: string;
  readonly since: Date;
  readonly asked: Date | null;
}

const selectWatched = `
  select project, "group", monitor, monitor_since as since,
    (select max(tick) from feature_drift_checks c where c.project = m.project and c."group" = m."group") as asked
  from feature_monitoring m where monitor is not null order by project, "group"`;

/** After a pause, so many windows of a group are caught up with each minute. */
const mostAtOnce = 24;

/**
 * Asks for the drift checks whose time has come, each once: the name of a check is made of its moment. What passed while
 * no platform ran is caught up with, window by window.
 */
export const runFeatureMonitors = ({ pool, now = Date.now }: { pool: Pool; now?: () => number }) =>
  defineJob({
    name: 'run-feature-monitors',
    summary: 'Asks for the drift checks of feature groups whose time has come',
    ...everyMinute,
    run: async (_, { issue }) => {
      for (const watched of await readWatched(pool)) {
        for (const tick of await dueTicks(watched, now())) await askOnce(issue, checkAt(watched, tick));
      }
    },
  });

/** A group that cannot be checked any more, because it or its project has ended, does not keep the others waiting. */
async function askOnce(issue: (command: { readonly name: string }, input: unknown) => Promise<unknown>, check: unknown): Promise<void> {
  try {
    await issue(runScheduledDriftCheckCommand, check);
  } catch (error) {
    if (!(error instanceof Refusal) || isPassing(error)) throw error;
  }
}

async function readWatched(pool: Pool): Promise<Watched[]> {
  const { rows } = await pool.query<{ project: string; group: string; monitor: Monitor; since: Date; asked: Date | null }>(selectWatched);
  return rows.map(({ monitor, ...rest }) => ({ ...rest, ...monitor }));
}

/** The moments of the schedule since the last one that was asked for, up to now. */
async function dueTicks(watched: Watched, nowMs: number): Promise<number[]> {
  // Whoever runs jobs has read BullMQ already; whoever only declares them need not.
  const { nextTick } = await import('../../platform/jobs/cron.js');
  const ticks: number[] = [];
  for (let after = Math.max(watched.since.getTime(), watched.asked?.getTime() ?? 0); ticks.length < mostAtOnce; ) {
    const tick = nextTick(watched, after);
    if (tick === undefined || tick > nowMs) break;
    ticks.push((after = tick));
  }
  return ticks;
}

/** The check of the window that ends before the moment. */
export function checkAt({ project, group, windowSeconds, delaySeconds, features, tests }: Omit<Watched, 'since' | 'asked' | 'cron' | 'timeZone'>, tickMs: number) {
  const tick = new Date(tickMs).toISOString();
  const endUs = (tickMs - delaySeconds * 1000) * 1000;
  return {
    project, group, features, tests, tick,
    check: `at_${tick.slice(0, 19).replace(/[-:]/g, '').toLowerCase()}z`,
    reference: null,
    current: { start: formatTimeUs(endUs - windowSeconds * 1_000_000), end: formatTimeUs(endUs) },
    knownAtPosition: null,
  };
}
