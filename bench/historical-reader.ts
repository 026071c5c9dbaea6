import { connect } from '../src/platform/eventstore/index.js';
import { historical } from '../src/projections/features/history/historical.js';
import { Replay } from '../src/projections/features/history/replay.js';
import { sharedReplay } from '../src/projections/features/history/shared-replay.js';

/** The moments of which the bench asks the features. */
export interface ReaderQuestion {
  readonly url: string;
  readonly airport: readonly string[];
  readonly timeUs: Float64Array;
}

/** How long the question took from the log and from memory, and the most memory that the process held. */
export interface ReaderAnswer {
  readonly matched: number;
  readonly fromLogMs: number;
  readonly fromMemoryMs: number;
  readonly peakRssMiB: number;
}

process.once('message', async (question: ReaderQuestion) => {
  // Not resourceUsage().maxRSS: that of a forked process begins with its parent's.
  let peakRss = 0;
  const sampling = setInterval(() => (peakRss = Math.max(peakRss, process.memoryUsage.rss())), 5);
  const eventStore = connect(question.url);
  const withoutCache = new Replay(eventStore, { cacheBytes: 0 });
  const withCache = sharedReplay(eventStore);
  // Asked once before, as by a process that has served for a while.
  await ask(withoutCache, question);
  const fromLog = await ask(withoutCache, question);
  await ask(withCache, question);
  const fromMemory = await ask(withCache, question);
  clearInterval(sampling);
  await eventStore.close();
  const answer: ReaderAnswer = { matched: fromLog.matched, fromLogMs: fromLog.ms, fromMemoryMs: fromMemory.ms, peakRssMiB: peakRss / 1024 / 1024 };
  process.send!(answer, () => process.disconnect());
});

/** Asks, and looks at every value of the answer. */
async function ask(replay: Replay, { airport, timeUs }: ReaderQuestion) {
  const begun = performance.now();
  const asked = new Map<string, readonly unknown[]>([['airport', airport], ['event_time', [...timeUs]]]);
  const { tables } = await historical(replay, {
    project: 'bench', features: ['airports'], aliases: [], fullNames: false, known: {},
    rows: { rows: airport.length, timeUs, columns: asked },
  });
  let matched = 0;
  for await (const { rows, columns } of tables) {
    for (let row = 0; row < rows; row++) if (columns.map((column) => column.at(row))[asked.size] !== null) matched++;
  }
  return { matched, ms: performance.now() - begun };
}
