/** Numbers from 0 to 1 that look like chance and are the same for the same seed, for ever (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Two hashes of a text, independent of each other: FNV-1a, and the same with another prime and start. */
export interface TextHash {
  readonly first: number;
  readonly second: number;
}

export function textHash(text: string): TextHash {
  let [first, second] = [0x811c9dc5 | 0, 0x9747b28c | 0];
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    first = Math.imul(first ^ unit, 0x01000193);
    second = Math.imul(second ^ unit, 0x5bd1e995);
  }
  return { first, second };
}

/** 53 bits that look like chance, made of an entity's hash and a time: by them rows are chosen. Never to be changed. */
export function chanceOf({ first, second }: TextHash, timeUs: number): number {
  const high = mix(first ^ mix(Math.floor(timeUs / 2 ** 32) ^ 0x3c6ef372) ^ mix(timeUs | 0));
  const low = mix(second ^ mix((timeUs | 0) ^ 0x1f83d9ab) ^ high);
  return (high >>> 0) * 2 ** 21 + (low >>> 11);
}

/** One more than the largest of these numbers. */
export const chances = 2 ** 53;

/** The finaliser of MurmurHash3. */
function mix(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
