const bars = '▁▂▃▄▅▆▇█';

/** Counts as a row of bars, the largest as high as there is room; nothing is a blank. */
export function sparkline(counts: readonly number[]): string {
  const most = Math.max(...counts, 1);
  return counts.map((count) => (count === 0 ? ' ' : bars[Math.ceil((count / most) * bars.length) - 1]!)).join('');
}
