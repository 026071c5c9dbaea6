const backslash = 0x5c;
const quote = 0x22;
const comma = 0x2c;
const open = 0x5b;
const close = 0x5d;
/** What stands between two keys: `","`. */
const between = 3;

/**
 * Encoded keys as the bytes of a JSON array of strings, so that keys which nobody asks for never become strings. As
 * JSON.stringify writes them, equal keys have equal bytes.
 */
export class KeyBytes {
  /** `begin` holds where each key begins, and where one more would. */
  private constructor(
    private readonly text: Buffer,
    private readonly begin: Uint32Array,
  ) {}

  static of(keys: readonly string[]): KeyBytes {
    const text = textOf(keys);
    return keys.length === 0 ? new KeyBytes(text, Uint32Array.of(0)) : KeyBytes.at(text, 0)!.keys;
  }

  /** The keys of the array that begins at a place, and the place after it; undefined for a text that JSON.stringify would write in another way. */
  static at(text: Buffer, start: number): { readonly keys: KeyBytes; readonly end: number } | undefined {
    if (text[start] !== open) return undefined;
    let count = 0;
    let at = start;
    do {
      if (text[++at] !== quote) return undefined;
      if (count === begins.length) begins = doubled(begins);
      begins[count++] = at + 1;
      at = endOfString(text, at);
      if (at < 0) return undefined;
    } while (text[at] === comma);
    if (text[at] !== close) return undefined;
    const begin = new Uint32Array(count + 1);
    begin.set(begins.subarray(0, count));
    begin[count] = at - 1 + between;
    return { keys: new KeyBytes(text, begin), end: at + 1 };
  }

  get length(): number {
    return this.begin.length - 1;
  }

  get heldBytes(): number {
    return this.text.length + this.begin.byteLength;
  }

  texts(): string[] {
    return this.length === 0 ? [] : JSON.parse(this.text.toString('utf8', this.begin[0]! - 2, this.begin[this.length]! - 1));
  }

  /** The same keys in a text of their own, so that the larger one can go. */
  apart(): KeyBytes {
    const from = this.begin[0]! - 2;
    return new KeyBytes(Buffer.from(this.text.subarray(from, this.begin[this.length]! - 1)), this.begin.map((begin) => begin - from));
  }

  hashOf(key: number): number {
    const { text } = this;
    let hash = 0x811c9dc5 | 0;
    for (let at = this.begin[key]!, end = this.begin[key + 1]! - between; at < end; at++) hash = Math.imul(hash ^ text[at]!, 0x01000193);
    return hash ^ (hash >>> 15);
  }

  isSame(key: number, other: KeyBytes, otherKey: number): boolean {
    let at = this.begin[key]!;
    let otherAt = other.begin[otherKey]!;
    const end = this.begin[key + 1]!;
    if (end - at !== other.begin[otherKey + 1]! - otherAt) return false;
    for (; at < end - between; at++, otherAt++) if (this.text[at] !== other.text[otherAt]) return false;
    return true;
  }
}

/** Finds keys among others by their bytes. */
export class KeyTable {
  private readonly keys: KeyBytes;
  private readonly hashes: Int32Array;
  /** By hash: the number of a key, -1 for none. A key whose place is taken stands at the next free one. */
  private readonly places: Int32Array;

  /** The keys are distinct; the number of each is its index. */
  constructor(keys: readonly string[]) {
    this.keys = KeyBytes.of(keys);
    this.hashes = Int32Array.from(keys, (_, key) => this.keys.hashOf(key));
    this.places = new Int32Array(2 ** Math.ceil(Math.log2(keys.length + 1) + 1)).fill(-1);
    const mask = this.places.length - 1;
    this.hashes.forEach((hash, key) => {
      let place = hash & mask;
      while (this.places[place] !== -1) place = (place + 1) & mask;
      this.places[place] = key;
    });
  }

  /** The number of each key; -1 for those that are not here. */
  numbersOf(keys: KeyBytes): Int32Array {
    const numbers = new Int32Array(keys.length);
    for (let key = 0; key < numbers.length; key++) numbers[key] = this.numberOf(keys, key);
    return numbers;
  }

  private numberOf(keys: KeyBytes, key: number): number {
    const hash = keys.hashOf(key);
    const mask = this.places.length - 1;
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const number = this.places[place]!;
      if (number === -1 || (this.hashes[number] === hash && keys.isSame(key, this.keys, number))) return number;
    }
  }
}

/** The places where keys begin that were read so far; kept, so that an array need not grow again for every event. */
let begins = new Uint32Array(4096);

/** The place after the string whose quote stands at a place; -1 where it holds an escape that encoded keys do not need. */
function endOfString(text: Buffer, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text[at];
    if (code === quote) return at + 1;
    if (code === backslash && text[++at] !== quote && text[at] !== backslash) return -1;
  }
  return -1;
}

/** One JSON array, made in parts, because one text of all could be longer than a string can be. */
function textOf(keys: readonly string[]): Buffer {
  const parts: Buffer[] = [];
  for (let from = 0; from < keys.length; from += keysOfPart) parts.push(Buffer.from(`${from === 0 ? '[' : ','}${JSON.stringify(keys.slice(from, from + keysOfPart)).slice(1, -1)}`));
  return Buffer.concat([...parts, Buffer.from(']')]);
}

const keysOfPart = 100_000;

function doubled(numbers: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(numbers.length * 2);
  larger.set(numbers);
  return larger;
}
