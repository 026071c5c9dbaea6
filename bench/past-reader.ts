import { connect } from '../src/platform/eventstore/index.js';
import { historical } from '../src/projections/features/history/historical.js';
import type { Replay } from '../src/projections/features/history/replay.js';
import type { RequestTable } from '../src/projections/features/history/request-table.js';
import { sharedReplay } from '../src/projections/features/history/shared-replay.js';
import { asked, project } from './past-log.js';

/** How many rows are asked for, and how many each group has. */
export interface PastQuestion {
  readonly url: string;
  readonly rows: number;
  readonly history: number;
}

/** What every value of an answer adds up to. */
export interface Total {
  readonly matched: number;
  readonly sum: number;
}

/** Both answers, how long each took, and the most memory that the process held. */
export interface PastAnswer {
  readonly totals: readonly Total[];
  readonly fromLogMs: number;
  readonly fromMemoryMs: number;
  readonly peakRssMiB: number;
}

process.once('message', async ({ url, rows, history }: PastQuestion) => {
  // Not resourceUsage().maxRSS: that of a forked process begins with its parent's. Each look costs a tenth of a millisecond.
  let peakRss = 0;
  const sampling = setInterval(() => (peakRss = Math.max(peakRss, process.memoryUsage.rss())), 20);
  const eventStore = connect(url);
  const each = <Value>(value: (n: number) => Value): Value[] => Array.from({ length: rows }, (_, n) => value(n));
  const timeUs = Float64Array.from({ length: rows }, (_, n) => asked.timeUs(n, history));
  const columns = new Map<string, readonly unknown[]>([['card', each(asked.card)], ['shop', each(asked.shop)], ['event_time', each((n) => timeUs[n])]]);
  const table = { rows, timeUs, columns };
  // As a process of TARL keeps it: the first question reads the log, and the second finds it in memory.
  const replay = sharedReplay(eventStore);
  const fromLog = await ask(replay, table);
  const fromMemory = await ask(replay, table);
  clearInterval(sampling);
  await eventStore.close();
  const answer: PastAnswer = { totals: [fromLog.total, fromMemory.total], fromLogMs: fromLog.ms, fromMemoryMs: fromMemory.ms, peakRssMiB: peakRss / 1024 / 1024 };
  process.send!(answer, () => process.disconnect());
});

/** Asks, and looks at every value of the answer. */
async function ask(replay: Replay, rows: RequestTable): Promise<{ total: Total; ms: number }> {
  const begun = performance.now();
  const { tables } = await historical(replay, { project, features: ['cards', 'shops'], aliases: [], fullNames: true, known: {}, rows });
  let matched = 0;
  let sum = 0;
  for await (const table of tables) {
    const features = table.columns.slice(rows.columns.size);
    for (let row = 0; row < table.rows; row++) {
      for (const column of features) {
        const value = column.at(row) as number | null;
        if (value === null) continue;
        matched++;
        sum += value;
      }
    }
  }
  return { total: { matched, sum }, ms: performance.now() - begun };
}
