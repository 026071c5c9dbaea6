import { SingleBar } from 'cli-progress';

/** How far something long has come, on standard error. */
export interface Progress {
  update(done: number, note?: string): void;
  stop(): void;
}

const quiet_ms = 1000;
const lineEvery_ms = 10_000;

/**
 * A bar with rate and time left on a terminal, a line every ten seconds elsewhere, and nothing at all for what is done
 * within a second. Without a total it counts. What was done `before` does not count for the rate.
 */
export function progress(title: string, total: number | undefined, unit: string, before = 0): Progress {
  const started = Date.now();
  const rate = (done: number) => `${whole.format(((done - before) / Math.max(1, Date.now() - started)) * 1000)} ${unit}/s`;
  if (!process.stderr.isTTY) return lines(title, total, unit, rate, started);
  const format = total === undefined ? `${title} {value} ${unit}  {rate}  {note}` : `${title} {bar} {percentage} %  {rate}  {eta_formatted} left  {note}`;
  const bar = new SingleBar({ format, stream: process.stderr, hideCursor: true, barsize: 30, fps: 10 });
  let shown = false;
  return {
    update(done, note = '') {
      if (!shown && Date.now() - started < quiet_ms) return;
      if (!shown) bar.start(total ?? 0, 0, { rate: '', note: '' });
      shown = true;
      bar.update(done, { rate: rate(done), note });
    },
    stop: () => bar.stop(),
  };
}

function lines(title: string, total: number | undefined, unit: string, rate: (done: number) => string, started: number): Progress {
  let said = started - lineEvery_ms + quiet_ms;
  return {
    update(done, note) {
      if (Date.now() - said < lineEvery_ms) return;
      said = Date.now();
      const share = total === undefined ? `${whole.format(done)} ${unit}` : `${Math.floor((done / Math.max(1, total)) * 100)} %`;
      process.stderr.write(`${[title, share, rate(done), note].filter(Boolean).join('  ')}\n`);
    },
    stop: () => undefined,
  };
}

/** `1,234,567` */
export const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
