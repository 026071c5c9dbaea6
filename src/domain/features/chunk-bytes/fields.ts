import { endOfColumn } from './columns.js';
import { KeyBytes } from './keys.js';
import type { Place } from './lazy-columns.js';
import { wholeNumbersAt } from './numbers.js';

const quote = 0x22;
const comma = 0x2c;
const minus = 0x2d;
const zero = 0x30;
const nine = 0x39;
const colon = 0x3a;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** The fields of a chunk's text, as far as they are there. */
export interface Fields {
  readonly texts: ReadonlyMap<string, string>;
  readonly numbers: ReadonlyMap<string, number>;
  readonly keys?: KeyBytes;
  readonly key?: Uint16Array | Uint32Array;
  readonly after?: Float64Array;
  readonly columns?: ReadonlyMap<string, Place>;
}

/** Reads a chunk's text in one pass; undefined where it is not as JSON.stringify writes a chunk. */
export function fieldsOf(text: Buffer): Fields | undefined {
  return new FieldReader(text).read();
}

/** A place in the text that goes on to its end; -1 once something was not as it should be. */
class FieldReader implements Fields {
  readonly texts = new Map<string, string>();
  readonly numbers = new Map<string, number>();
  keys?: KeyBytes;
  key?: Uint16Array | Uint32Array;
  after?: Float64Array;
  columns?: Map<string, Place>;
  private at = 0;

  constructor(private readonly text: Buffer) {}

  read(): Fields | undefined {
    this.object((name) => this.field(name));
    return this.at === this.text.length ? this : undefined;
  }

  private field(name: string): void {
    switch (name) {
      case 'project':
      case 'group':
      case 'mode':
        this.texts.set(name, this.name());
        break;
      case 'version':
      case 'partition':
      case 'from':
        this.numbers.set(name, this.whole());
        break;
      case 'key':
        this.key = this.indices(this.keys?.length ?? 0);
        break;
      case 'after':
        this.after = this.wholes()?.slice();
        break;
      case 'keys': {
        const read = KeyBytes.at(this.text, this.at);
        this.keys = read?.keys;
        this.at = read?.end ?? -1;
        break;
      }
      case 'columns': {
        const columns = (this.columns = new Map<string, Place>());
        this.object((feature) => {
          const start = this.at;
          this.at = endOfColumn(this.text, start);
          columns.set(feature, { start, end: this.at });
        });
        break;
      }
      default:
        this.at = -1;
    }
  }

  /** An object whose values are read by `value`. */
  private object(value: (name: string) => void): void {
    if (this.text[this.at] !== openBrace) return this.fail();
    if (this.text[this.at + 1] === closeBrace) {
      this.at += 2;
      return;
    }
    do {
      this.at++;
      const name = this.name();
      if (this.at < 0 || this.text[this.at] !== colon) return this.fail();
      this.at++;
      value(name);
      if (this.at < 0) return;
    } while (this.text[this.at] === comma);
    if (this.text[this.at] === closeBrace) this.at++;
    else this.fail();
  }

  /** A string of letters that need no escapes. */
  private name(): string {
    const { text, at } = this;
    let end = at + 1;
    if (text[at] === quote) while (end < text.length && text[end] !== quote && text[end] !== backslash && text[end]! < 0x80) end++;
    this.at = text[at] === quote && text[end] === quote ? end + 1 : -1;
    return text.toString('latin1', at + 1, end);
  }

  private whole(): number {
    const { text, at } = this;
    let end = text[at] === minus ? at + 1 : at;
    const first = end;
    while (text[end]! >= zero && text[end]! <= nine) end++;
    const value = Number(text.toString('latin1', at, end));
    this.at = end > first && Number.isSafeInteger(value) ? end : -1;
    return value;
  }

  /** Whole numbers, until the next ones are read. */
  private wholes(): Float64Array | undefined {
    const read = wholeNumbersAt(this.text, this.at);
    this.at = read?.end ?? -1;
    return read?.numbers;
  }

  /** Whole numbers below a limit. */
  private indices(limit: number): Uint16Array | Uint32Array | undefined {
    const read = this.wholes() ?? new Float64Array();
    const indices = limit <= 0x1_0000 ? new Uint16Array(read.length) : new Uint32Array(read.length);
    for (let row = 0; row < read.length; row++) {
      if (read[row]! >= limit) return void this.fail();
      indices[row] = read[row]!;
    }
    return indices;
  }

  private fail(): void {
    this.at = -1;
  }
}
