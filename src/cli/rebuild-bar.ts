import { SingleBar } from 'cli-progress';
import type { RebuildProgress } from '../api/core.js';
import { whole } from './progress.js';

/** How far a rebuild is: a bar on a terminal, elsewhere a line for every phase. */
export function rebuildBar(view: string): { update(progress: RebuildProgress): void; stop(): void } {
  if (!process.stderr.isTTY) return phaseLines(view);
  const bar = new SingleBar({
    format: `Rebuilding ${view} {bar} {percentage} %  {events} events  {rate} events/s  {left} s left  {phase}`,
    stream: process.stderr, hideCursor: true, barsize: 30, fps: 10,
  });
  bar.start(1000, 0, { events: 0, rate: 0, left: '?', phase: '' });
  return {
    update: ({ done, events, eventsPerSecond, secondsLeft, phase }) =>
      bar.update(Math.floor(done * 1000), { events: whole.format(events), rate: whole.format(eventsPerSecond), left: Math.ceil(secondsLeft), phase }),
    stop: () => bar.stop(),
  };
}

function phaseLines(view: string): ReturnType<typeof rebuildBar> {
  let told = '';
  return {
    update({ phase, events }) {
      if (phase === told) return;
      told = phase;
      process.stderr.write(`Rebuilding ${view}: ${phase}, ${whole.format(events)} events so far\n`);
    },
    stop: () => undefined,
  };
}
