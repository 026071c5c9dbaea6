import { randomBytes } from 'node:crypto';

/** Where an event with a known id stands. */
export interface Placed {
  readonly stream: number;
  readonly revision: number;
  readonly position: number;
}

const GENERATION = 25_000;

/**
 * The ids of recent events, by which a repeated append is known. Bounded: two generations, of
 * which the older is dropped when the younger is full.
 */
export class RecentIds {
  private young = new Generation();
  private old = new Generation();

  /** How many of the latest events are worth reading back when the store is opened. */
  static readonly WARM_UP = GENERATION;

  get(id: string): Placed | undefined {
    const key = keyOf(id);
    return this.young.get(key) ?? this.old.get(key);
  }

  /** Notes where an event stands. An id that is written again, to another stream or behind itself, stays known by its first place. */
  add(id: string, placed: Placed): void {
    const key = keyOf(id);
    if (this.young.get(key) !== undefined || this.old.get(key) !== undefined) return;
    if (this.young.size >= GENERATION) {
      [this.young, this.old] = [this.old, this.young];
      this.young.clear();
    }
    this.young.set(key, placed);
  }

  clear(): void {
    this.young.clear();
    this.old.clear();
  }
}

/** A power of two well above the number of entries, so that a look-up finds its place in a step or two. */
const SLOTS = 65_536;
const KEY_WORDS = 4;
const VALUE_WORDS = 3;
/** Chosen anew in each process, so that nobody can choose ids that fall on one place. */
const SEED = randomBytes(4).readUInt32LE() | 1;

/** Ids and places in flat arrays, which the garbage collector need not walk through: tens of thousands of objects would cost it a pause. */
class Generation {
  private readonly keys = new Uint32Array(SLOTS * KEY_WORDS);
  /** Stream, revision and position; a position of 0, which no event has, marks a free slot. */
  private readonly values = new Float64Array(SLOTS * VALUE_WORDS);
  size = 0;

  get(key: Uint32Array): Placed | undefined {
    const at = this.slotOf(key) * VALUE_WORDS;
    const position = this.values[at + 2]!;
    return position === 0 ? undefined : { stream: this.values[at]!, revision: this.values[at + 1]!, position };
  }

  set(key: Uint32Array, { stream, revision, position }: Placed): void {
    const slot = this.slotOf(key);
    const at = slot * VALUE_WORDS;
    if (this.values[at + 2] === 0) {
      this.size++;
      this.keys.set(key, slot * KEY_WORDS);
    }
    this.values[at] = stream;
    this.values[at + 1] = revision;
    this.values[at + 2] = position;
  }

  clear(): void {
    if (this.size > 0) this.values.fill(0);
    this.size = 0;
  }

  /** The slot that holds the key, or the free one where it belongs. */
  private slotOf(key: Uint32Array): number {
    const { keys, values } = this;
    for (let slot = hashOf(key) & (SLOTS - 1); ; slot = (slot + 1) & (SLOTS - 1)) {
      const at = slot * KEY_WORDS;
      if (values[slot * VALUE_WORDS + 2] === 0) return slot;
      if (keys[at] === key[0] && keys[at + 1] === key[1] && keys[at + 2] === key[2] && keys[at + 3] === key[3]) return slot;
    }
  }
}

function hashOf(key: Uint32Array): number {
  let hash = SEED;
  for (let word = 0; word < KEY_WORDS; word++) {
    hash = Math.imul(hash ^ key[word]!, 0x85ebca6b);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
}

/** One for all look-ups: nothing keeps it. */
const scratch = new Uint32Array(KEY_WORDS);

/** The 16 bytes of a UUID in lower-case text. */
function keyOf(id: string): Uint32Array {
  let word = 0;
  let digits = 0;
  for (let at = 0; at < id.length; at++) {
    const code = id.charCodeAt(at);
    if (code === 45) continue;
    word = (word << 4) | (code < 58 ? code - 48 : code - 87);
    if ((++digits & 7) === 0) scratch[(digits >> 3) - 1] = word;
  }
  return scratch;
}
