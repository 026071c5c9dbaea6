/** Numbers in ascending order. */
export type Sorted = Float64Array;

export const sorted = (values: Iterable<number>): Sorted => Float64Array.from(values).sort();

/** The arithmetic mean. Sums are compensated (Neumaier), so that large times keep their digits. */
export function meanOf(values: Sorted): number {
  let [sum, lost] = [0, 0];
  for (const value of values) {
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  return (sum + lost) / values.length;
}

/** The standard deviation of a sample (over n − 1); 0 for a single value. */
export function deviationOf(values: Sorted, mean = meanOf(values)): number {
  if (values.length < 2 || values[0] === values.at(-1)) return 0;
  let sum = 0;
  for (const value of values) sum += (value - mean) ** 2;
  return Math.sqrt(sum / (values.length - 1));
}

/** The value below which a share of the values lies, between neighbours by line (Hyndman and Fan's type 7). */
export function quantileOf(values: Sorted, share: number): number {
  const at = (values.length - 1) * share;
  const below = Math.floor(at);
  const low = values[below]!;
  return below === at ? low : low + (at - below) * (values[below + 1]! - low);
}

/** How many different values there are. */
export function distinctOf(values: Sorted): number {
  let count = 0;
  for (let at = 0; at < values.length; at++) if (at === 0 || values[at] !== values[at - 1]) count++;
  return count;
}

/** How many values lie in each stretch between two edges; a value on an edge belongs to the stretch above it, on the last edge to the last. What lies outside belongs to the nearest. */
export function countsBetween(values: Sorted, edges: readonly number[]): number[] {
  const counts = new Array<number>(edges.length - 1).fill(0);
  let bin = 0;
  for (const value of values) {
    while (bin < counts.length - 1 && value >= edges[bin + 1]!) bin++;
    counts[bin]!++;
  }
  return counts;
}
