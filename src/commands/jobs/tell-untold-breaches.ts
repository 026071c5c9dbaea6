import type { Pool } from 'pg';
import type { ExpectationBreach } from '../../domain/features/monitoring/breaches/breach.js';
import { isPassing, Refusal } from '../../domain/kit/index.js';
import { defineJob } from '../../platform/jobs/define.js';
import { recordExpectationBreachCommand } from '../drift-checks.js';
import { everyMinute } from './every-minute.js';

/** The writer is given so long to tell what it found. */
const patience_ms = 10_000;
/** So many in one run; the rest is told a minute later. */
const mostAtOnce = 10_000;

const selectUntold = `select found from untold_breaches where recorded_at < $1 order by recorded_at limit $2`;

/** Tells the breaches that stand beside the rows of writes whose process died before it could. Each is told once, under its name. */
export const tellUntoldBreaches = ({ pool, now = Date.now }: { pool: Pool; now?: () => number }) =>
  defineJob({
    name: 'tell-untold-breaches',
    summary: 'Tells the broken expectations that a process found and died before it told them',
    ...everyMinute,
    run: async (_, { issue }) => {
      const { rows } = await pool.query<{ found: ExpectationBreach }>(selectUntold, [new Date(now() - patience_ms), mostAtOnce]);
      const refusals: Refusal[] = [];
      for (const { found } of rows) {
        try {
          await issue(recordExpectationBreachCommand, found);
        } catch (error) {
          // What cannot be told keeps no other waiting.
          if (!(error instanceof Refusal) || isPassing(error)) throw error;
          refusals.push(error);
        }
      }
      if (refusals.length > 0) throw new AggregateError(refusals, `${refusals.length} broken expectations cannot be told; the first: ${refusals[0]!.message}`);
    },
  });
