import { connect } from '../src/platform/eventstore/index.js';
import { historical } from '../src/projections/features/history/historical.js';
import { Replay } from '../src/projections/features/history/replay.js';
import { asked, project } from './past-log.js';

/** How many rows are asked for, and how many each group has. */
export interface PastQuestion {
  readonly url: string;
  readonly rows: number;
  readonly history: number;
}

/** What every value of the answer adds up to, how long it took, and the most memory that the process held. */
export interface PastAnswer {
  readonly matched: number;
  readonly sum: number;
  readonly ms: number;
  readonly peakRssMiB: number;
}

process.once('message', async ({ url, rows, history }: PastQuestion) => {
  // Not resourceUsage().maxRSS: that of a forked process begins with its parent's.
  let peakRss = 0;
  const sampling = setInterval(() => (peakRss = Math.max(peakRss, process.memoryUsage.rss())), 5);
  const eventStore = connect(url);
  const each = <Value>(value: (n: number) => Value): Value[] => Array.from({ length: rows }, (_, n) => value(n));
  const timeUs = Float64Array.from({ length: rows }, (_, n) => asked.timeUs(n, history));
  const columns = new Map<string, readonly unknown[]>([['card', each(asked.card)], ['shop', each(asked.shop)], ['event_time', each((n) => timeUs[n])]]);
  const begun = performance.now();
  const { tables } = await historical(new Replay(eventStore, { cacheBytes: 0 }), {
    project, features: ['cards', 'shops'], aliases: [], fullNames: true, known: {}, rows: { rows, timeUs, columns },
  });
  let matched = 0;
  let sum = 0;
  for await (const table of tables) {
    const features = table.columns.slice(columns.size);
    for (let row = 0; row < table.rows; row++) {
      for (const column of features) {
        const value = column.at(row) as number | null;
        if (value === null) continue;
        matched++;
        sum += value;
      }
    }
  }
  const ms = performance.now() - begun;
  clearInterval(sampling);
  await eventStore.close();
  const answer: PastAnswer = { matched, sum, ms, peakRssMiB: peakRss / 1024 / 1024 };
  process.send!(answer, () => process.disconnect());
});
