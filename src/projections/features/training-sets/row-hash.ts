import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { canonicalJson } from '../../../domain/kit/index.js';

/** What is hashed: some rows, column by column. */
export interface HashedRows {
  readonly rows: number;
  readonly columns: readonly { at(row: number): unknown }[];
}

const tags = { null: 0, false: 1, true: 2, number: 3, string: 4, list: 5, json: 6 } as const;

/** Bytes that are gathered before the hash is told. */
const capacity = 1 << 16;
/** Rows after which others have their turn. */
const rowsAtOnce = 5000;

/**
 * The SHA-256 of a table's columns and rows, whatever pieces they come in and whatever format they are kept in. The bytes that
 * are hashed, numbers little-endian, texts as their length in bytes (uint32) and UTF-8:
 *
 *     "tarl.rows.1"  columns (uint32)  name of each column (text)  then row by row, column by column, one value:
 *     0 null | 1 false | 2 true | 3 number (float64) | 4 text | 5 list of numbers (uint32, float64 each) | 6 other JSON (text)
 *
 * A value is as the log has it: an INT64 is a number where a double holds it exactly and else its digits, a TIMESTAMP is microseconds
 * since the Unix epoch. Zero has no sign; other JSON has the fields of its objects in alphabetical order.
 */
export class RowHash {
  private readonly hash = createHash('sha256');
  private readonly buffer = Buffer.allocUnsafe(capacity);
  private at = 0;

  constructor(names: readonly string[]) {
    this.hash.update('tarl.rows.1');
    this.uint32(names.length);
    for (const name of names) this.text(name);
  }

  /** Takes the next rows, a few thousand at a time. */
  async add({ rows, columns }: HashedRows): Promise<void> {
    for (let row = 0; row < rows; row++) {
      for (const column of columns) this.value(column.at(row));
      if (row % rowsAtOnce === rowsAtOnce - 1) await setImmediate();
    }
  }

  /** In hexadecimal digits. Call it once, after all rows. */
  digest(): string {
    this.flush();
    return this.hash.digest('hex');
  }

  private value(value: unknown): void {
    if (value === null || value === undefined) this.byte(tags.null);
    else if (typeof value === 'number') {
      this.byte(tags.number);
      this.float64(value);
    } else if (typeof value === 'string') {
      this.byte(tags.string);
      this.text(value);
    } else if (typeof value === 'boolean') this.byte(value ? tags.true : tags.false);
    else if (Array.isArray(value) && value.every((item) => typeof item === 'number')) {
      this.byte(tags.list);
      this.uint32(value.length);
      for (const item of value) this.float64(item);
    } else {
      this.byte(tags.json);
      this.text(canonicalJson(value));
    }
  }

  private byte(value: number): void {
    this.room(1);
    this.at = this.buffer.writeUInt8(value, this.at);
  }

  private uint32(value: number): void {
    this.room(4);
    this.at = this.buffer.writeUInt32LE(value, this.at);
  }

  private float64(value: number): void {
    this.room(8);
    this.at = this.buffer.writeDoubleLE(value === 0 ? 0 : value, this.at);
  }

  private text(text: string): void {
    const length = Buffer.byteLength(text);
    this.uint32(length);
    if (length > capacity) {
      this.flush();
      this.hash.update(text, 'utf8');
      return;
    }
    this.room(length);
    this.at += this.buffer.write(text, this.at, 'utf8');
  }

  private room(bytes: number): void {
    if (this.at + bytes > capacity) this.flush();
  }

  private flush(): void {
    this.hash.update(this.buffer.subarray(0, this.at));
    this.at = 0;
  }
}

/** The hash of one table that is there whole. */
export async function hashOfRows(names: readonly string[], rows: HashedRows): Promise<string> {
  const hash = new RowHash(names);
  await hash.add(rows);
  return hash.digest();
}
