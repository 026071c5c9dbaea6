import { seededRandom } from './seeded.js';
import { sorted, type Sorted } from './sorted.js';

/** The first Wasserstein distance: how far, on the average, values must be moved for one sample to become the other. In the unit of the values. */
export function wasserstein(first: Sorted, second: Sorted): number {
  const [n, m] = [first.length, second.length];
  let [i, j, distance] = [0, 0, 0];
  let before = Math.min(first[0]!, second[0]!);
  while (i < n || j < m) {
    const value = j === m || (i < n && first[i]! <= second[j]!) ? first[i]! : second[j]!;
    distance += Math.abs(i / n - j / m) * (value - before);
    while (i < n && first[i] === value) i++;
    while (j < m && second[j] === value) j++;
    before = value;
  }
  return distance;
}

/** How often the values are dealt anew, and of how many: a p value comes in steps of 1/200. */
const deals = 199;
const mostDealt = 20_000;

/**
 * How likely a Wasserstein distance as large is where nothing differs: all values together are dealt anew into two samples
 * of the same sizes, by a seeded choice, and the share of deals counts that lie as far apart.
 */
export function wassersteinTail(first: Sorted, second: Sorted): number {
  const ofFirst = thinned(first, mostDealt - Math.min(second.length, mostDealt / 2));
  const ofSecond = thinned(second, mostDealt - ofFirst.length);
  const observed = wasserstein(ofFirst, ofSecond);
  const all = sorted([...ofFirst, ...ofSecond]);
  const fewer = Math.min(ofFirst.length, ofSecond.length);
  const random = seededRandom(all.length);
  let asFar = 1;
  for (let deal = 0; deal < deals; deal++) if (distanceDealt(all, chosen(all.length, fewer, random), fewer) >= observed * (1 - 1e-12)) asFar++;
  return asFar / (deals + 1);
}

/** The distance of the values at the n places chosen, in ascending order, from all others; the values are in order. */
function distanceDealt(all: Sorted, places: Uint32Array, n: number): number {
  const m = all.length - n;
  let distance = 0;
  // Between two chosen places the second distribution alone rises.
  for (let i = 0, at = 0; i <= n; i++) {
    const end = i === n ? all.length : places[i]!;
    const below = i / n;
    for (; at < end; at++) {
      const j = at + 1 - i;
      const gap = below - j / m;
      if (at + 1 < all.length) distance += (gap < 0 ? -gap : gap) * (all[at + 1]! - all[at]!);
    }
    if (at + 1 < all.length) {
      const gap = (i + 1) / n - (at - i) / m;
      distance += (gap < 0 ? -gap : gap) * (all[at + 1]! - all[at]!);
    }
    at++;
  }
  return distance;
}

/** So many of a number of places, in ascending order, each choice as likely as any other (Knuth's algorithm S). */
function chosen(of: number, count: number, random: () => number): Uint32Array {
  const places = new Uint32Array(count);
  for (let at = 0, taken = 0; taken < count; at++) if (random() * (of - at) < count - taken) places[taken++] = at;
  return places;
}

/** At most so many of the values, evenly along their order. */
function thinned(values: Sorted, most: number): Sorted {
  if (values.length <= most) return values;
  return Float64Array.from({ length: most }, (_, at) => values[Math.floor(((at + 0.5) * values.length) / most)]!);
}
