import type { BlockHead, ReadableBlock, WriteMode } from '../chunk.js';
import { fieldsOf } from './fields.js';
import type { KeyBytes } from './keys.js';
import { LazyColumns } from './lazy-columns.js';

/**
 * The rows in an event's data, read from its bytes: no object for each row, no string for a key, and no column before
 * somebody looks at it. Undefined for a text that `encodeChunk` would have written in another way; `decodeChunk` reads
 * whatever means the same, and says what is wrong.
 */
export function readChunk(bytes: Uint8Array): BytesBlock | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields = fieldsOf(text);
  if (fields?.keys === undefined || fields.columns === undefined) return undefined;
  const { keys, columns, texts, numbers, after } = fields;
  const [project, group, mode] = [texts.get('project'), texts.get('group'), texts.get('mode') as WriteMode | undefined];
  const [version, partition, from] = [numbers.get('version'), numbers.get('partition'), numbers.get('from')];
  if (project === undefined || group === undefined || mode === undefined || version === undefined || partition === undefined || from === undefined) return undefined;
  const key = fields.key ?? counting(keys.length);
  const rows = key.length;
  if (after !== undefined && after.length !== rows) return undefined;
  const head = { project, group, version, partition, mode };
  return new BytesBlock(head, { rows, key, timeUs: timesOf(from, after, rows) }, keys, new LazyColumns(text, columns, rows));
}

type Rows = Pick<BytesBlock, 'rows' | 'key' | 'timeUs'>;

/** Rows whose keys, and at first columns too, are still bytes. */
export class BytesBlock implements BlockHead, ReadableBlock {
  readonly project: string;
  readonly group: string;
  readonly version: number;
  readonly partition: number;
  readonly mode: WriteMode;
  readonly rows: number;
  readonly key: Uint16Array | Uint32Array;
  readonly timeUs: Float64Array;
  private texts: readonly string[] | undefined;

  constructor(
    head: BlockHead,
    { rows, key, timeUs }: Rows,
    readonly keyBytes: KeyBytes,
    readonly columns: LazyColumns,
  ) {
    this.project = head.project;
    this.group = head.group;
    this.version = head.version;
    this.partition = head.partition;
    this.mode = head.mode;
    this.rows = rows;
    this.key = key;
    this.timeUs = timeUs;
  }

  get keys(): readonly string[] {
    return (this.texts ??= this.keyBytes.texts());
  }

  /** The same rows without their event's text: all columns read, each in as few bytes as it needs. */
  packed(): BytesBlock {
    return new BytesBlock(this, this, this.keyBytes.apart(), this.columns.packed());
  }

  /** About how many bytes of memory it holds once it is packed. */
  get heldBytes(): number {
    return 1024 + this.rows * (this.key.BYTES_PER_ELEMENT + 8) + this.keyBytes.heldBytes + this.columns.heldBytes;
  }
}

/** Every row has a key of its own, in their order. */
function counting(rows: number): Uint32Array {
  const key = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) key[row] = row;
  return key;
}

function timesOf(from: number, after: Float64Array | undefined, rows: number): Float64Array {
  if (after === undefined) return new Float64Array(rows).fill(from);
  for (let row = 0; row < rows; row++) after[row]! += from;
  return after;
}
