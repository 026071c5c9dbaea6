import { expect, test } from '@jest/globals';
import { keepRunning, type Part } from '../../../src/platform/supervise/keep-running.js';
import { until } from '../../support/until.js';

/** Parts that end when told to, and what was started so far. */
function workshop(): { start: () => Promise<Part>; crash: () => void; started: () => number; alive: () => number } {
  let started = 0;
  const ends = new Set<(reason: string) => void>();
  return {
    async start() {
      started += 1;
      let end!: (reason: string) => void;
      const ended = new Promise<string>((resolve) => { end = resolve; });
      ends.add(end);
      return { ended, stop: async () => { ends.delete(end); end('stopped'); } };
    },
    crash: () => ends.forEach((end) => { ends.delete(end); end('crashed'); }),
    started: () => started,
    alive: () => ends.size,
  };
}

test('a part that ends by itself is started again, and one that is stopped is not', async () => {
  const parts = workshop();
  const messages: string[] = [];
  const kept = await keepRunning('clock', parts.start, { error: (text) => messages.push(text) });
  parts.crash();
  await until('it runs again', () => parts.alive() === 1);
  expect(messages).toEqual([expect.stringMatching(/^The clock is gone \(crashed\); starting it again in \d+ ms$/)]);
  await kept.stop();
  expect({ started: parts.started(), alive: parts.alive() }).toEqual({ started: 2, alive: 0 });
});

test('a stop while a restart is due leaves nothing running', async () => {
  const parts = workshop();
  const kept = await keepRunning('clock', parts.start, { error: () => {} });
  parts.crash();
  await kept.stop();
  expect(parts.alive()).toBe(0);
});

test('a restart that fails is tried again', async () => {
  const parts = workshop();
  let failures = 0;
  const kept = await keepRunning('clock', async () => {
    if (parts.started() === 1 && failures++ === 0) throw new Error('no spring');
    return parts.start();
  }, { error: () => {} });
  parts.crash();
  await until('it runs again', () => parts.alive() === 1);
  expect(failures).toBe(2);
  await kept.stop();
});

test('a part that never started is not kept running', async () => {
  await expect(keepRunning('clock', async () => { throw new Error('no spring'); }, { error: () => {} })).rejects.toThrow('no spring');
});
