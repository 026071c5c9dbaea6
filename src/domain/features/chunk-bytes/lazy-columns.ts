import { isNumberColumn, type ReadableColumn, type ReadableColumns } from '../chunk.js';
import { columnAt } from './columns.js';

/** Where a column stands in an event's text. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

/** The columns of a chunk, each read when it is first looked at. */
export class LazyColumns implements ReadableColumns {
  private readonly read = new Map<string, ReadableColumn | null>();

  constructor(
    private readonly text: Buffer | undefined,
    private readonly places: ReadonlyMap<string, Place>,
    private readonly rows: number,
  ) {}

  /** Throws on a column that does not fit the rows. */
  get(feature: string): ReadableColumn | null | undefined {
    const known = this.read.get(feature);
    const place = this.places.get(feature);
    if (known !== undefined || place === undefined) return known;
    const column = columnAt(this.text!, place, this.rows);
    if (column === undefined) throw new TypeError(`The column ${feature} of rows in the log does not fit them`);
    this.read.set(feature, column);
    return column;
  }

  /** The same columns, all of them read, in as few bytes as they need; the text can go. */
  packed(): LazyColumns {
    const packed = new LazyColumns(undefined, this.places, this.rows);
    for (const feature of this.places.keys()) packed.read.set(feature, narrow(this.get(feature)!));
    return packed;
  }

  /** About how many bytes of memory they hold once they are packed: values that are no numbers a reference each, and two bytes a character of their text. */
  get heldBytes(): number {
    let bytes = 0;
    for (const [feature, { start, end }] of this.places) {
      const column = this.get(feature);
      bytes += ArrayBuffer.isView(column) ? column.byteLength : 256 + (column ? 8 * this.rows + 2 * (end - start) : 0);
    }
    return bytes;
  }
}

/** Whole numbers of 32 bits in half the memory; -0 is none. */
function narrow(column: ReadableColumn | null): ReadableColumn | null {
  if (column === null || !isNumberColumn(column)) return column;
  return column.every((number) => (number | 0) === number && !Object.is(number, -0)) ? Int32Array.from(column) : column;
}
