import { connect } from '../src/platform/eventstore/index.js';
import { historical } from '../src/projections/features/history/historical.js';
import { Replay } from '../src/projections/features/history/replay.js';

/** The moments of which the bench asks the features. */
export interface ReaderQuestion {
  readonly url: string;
  readonly airport: readonly string[];
  readonly timeUs: Float64Array;
}

/** How long the question took, first and again, and what it cost. */
export interface ReaderAnswer {
  readonly matched: number;
  readonly firstMs: number;
  readonly againMs: number;
  readonly peakRssMiB: number;
}

process.once('message', async ({ url, airport, timeUs }: ReaderQuestion) => {
  const eventStore = connect(url);
  const replay = new Replay(eventStore, { cacheBytes: 256 * 1024 * 1024 });
  const ask = async () => {
    const begun = performance.now();
    let matched = 0;
    const { tables } = await historical(replay, {
      project: 'bench', features: ['airports'], aliases: [], fullNames: false, known: {},
      rows: { rows: airport.length, timeColumn: 'event_time', timeUs, columns: new Map<string, readonly unknown[]>([['airport', airport], ['event_time', [...timeUs]]]) },
    });
    for await (const { rows, columns } of tables) {
      for (let row = 0; row < rows; row++) if (columns.map((column) => column.at(row))[2] !== null) matched++;
    }
    return { matched, ms: performance.now() - begun };
  };
  const first = await ask();
  const again = await ask();
  const answer: ReaderAnswer = { matched: first.matched, firstMs: first.ms, againMs: again.ms, peakRssMiB: process.resourceUsage().maxRSS / 1024 };
  await eventStore.close();
  process.send!(answer, () => process.disconnect());
});
