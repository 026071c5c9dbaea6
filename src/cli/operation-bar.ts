import { SingleBar } from 'cli-progress';
import type { NewOperation, Operation } from '../api/core.js';
import { whole } from './progress.js';

interface Bar {
  update(operation: Operation): void;
  stop(): void;
}

const doing = { rebuild: 'Rebuilding', comparison: 'Comparing', rollback: 'Rolling back' } as const;

/** How far the work on a view is: a bar on a terminal, elsewhere a line for every phase. */
export function operationBar({ kind, view }: Pick<NewOperation, 'kind' | 'view'>): Bar {
  const title = `${doing[kind]} ${view}`;
  if (!process.stderr.isTTY) return phaseLines(title);
  const bar = new SingleBar({
    format: `${title} {bar} {percentage} %  {events} events  {rate} events/s  {left} s left  {phase}`,
    stream: process.stderr, hideCursor: true, barsize: 30, fps: 10,
  });
  bar.start(1000, 0, { events: 0, rate: 0, left: '?', phase: '' });
  return {
    update({ metadata: { state, progress } }) {
      if (!progress) return;
      const { done, events, eventsPerSecond, secondsLeft, phase } = progress;
      bar.update(Math.floor(done * 1000), { events: whole.format(events), rate: whole.format(eventsPerSecond), left: Math.ceil(secondsLeft), phase: state === 'paused' ? 'paused' : phase });
    },
    stop: () => bar.stop(),
  };
}

function phaseLines(title: string): Bar {
  let told = '';
  return {
    update({ metadata: { state, progress } }) {
      if (!progress) return;
      const phase = state === 'paused' ? 'paused' : progress.phase;
      if (phase === told) return;
      told = phase;
      const { events, eventsPerSecond, secondsLeft } = progress;
      const left = phase === 'reading' && secondsLeft > 1 ? `, ${whole.format(eventsPerSecond)} events/s, about ${Math.ceil(secondsLeft)} s left` : '';
      process.stderr.write(`${title}: ${phase}, ${whole.format(events)} events so far${left}\n`);
    },
    stop: () => undefined,
  };
}
