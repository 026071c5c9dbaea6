import { crc32 } from 'node:zlib';

/** What one commit made durable, as the journal holds it. */
export interface JournalEntry {
  /** One more than that of the entry before it. */
  readonly sequence: number;
  readonly blocks: readonly Buffer[];
  /** Settings by name; undefined removes one. */
  readonly settings: ReadonlyMap<string, Buffer | undefined>;
}

/** An entry that was found, and where it ends. */
export interface FoundEntry extends JournalEntry {
  readonly end: number;
}

/*
 * An entry: whole pages, so that writing one never touches a page of another.
 *
 *   header   magic u32, checksum of all that follows u32, length of the parts u32, how many of them are blocks u32,
 *            sequence f64, the journal's id (16 bytes)
 *   parts    length u32 and bytes for each block; name and value for each setting, in the same form
 */
export const PAGE_BYTES = 4096;
export const ID_BYTES = 16;
const HEADER_BYTES = 24 + ID_BYTES;
const CHECKED_FROM = 8;
const MAGIC = 0x4c_52_41_54;
/** Stands for the length of a setting that is removed. */
const REMOVED = 0xffff_ffff;

const wholePages = (bytes: number): number => Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;

/** The pages that an entry takes, in bytes. */
export function sizeOfEntry({ blocks, settings }: Pick<JournalEntry, 'blocks' | 'settings'>): number {
  let parts = 0;
  for (const block of blocks) parts += 4 + block.length;
  for (const [name, value] of settings) parts += 8 + Buffer.byteLength(name) + (value?.length ?? 0);
  return wholePages(HEADER_BYTES + parts);
}

/** Writes an entry to the start of `target`, whose first `sizeOfEntry` bytes are then those to be stored. */
export function writeEntry(target: Buffer, id: Buffer, { sequence, blocks, settings }: JournalEntry): void {
  let at = HEADER_BYTES;
  const part = (bytes: Buffer | undefined) => {
    at = target.writeUInt32LE(bytes?.length ?? REMOVED, at);
    if (bytes === undefined) return;
    target.set(bytes, at);
    at += bytes.length;
  };
  for (const block of blocks) part(block);
  for (const [name, value] of settings) {
    part(Buffer.from(name));
    part(value);
  }
  target.writeUInt32LE(MAGIC, 0);
  target.writeUInt32LE(at - HEADER_BYTES, 8);
  target.writeUInt32LE(blocks.length, 12);
  target.writeDoubleLE(sequence, 16);
  target.set(id, 24);
  target.writeUInt32LE(crc32(target.subarray(CHECKED_FROM, at)), 4);
  target.fill(0, at, wholePages(at));
}

/** Every whole entry of this journal behind `after`, in the order in which they lie. What is torn, damaged, older or another journal's is not one. */
export function* entriesIn(bytes: Buffer, id: Buffer, after: number): Generator<FoundEntry> {
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const end = endOfEntry(bytes, at, id, after);
    if (end !== undefined) yield { ...readEntry(bytes, at), end: wholePages(end) };
    at = end === undefined ? at + PAGE_BYTES : wholePages(end);
  }
}

function endOfEntry(bytes: Buffer, at: number, id: Buffer, after: number): number | undefined {
  if (bytes.readUInt32LE(at) !== MAGIC || !id.equals(bytes.subarray(at + 24, at + HEADER_BYTES))) return undefined;
  if (!(bytes.readDoubleLE(at + 16) > after)) return undefined;
  const end = at + HEADER_BYTES + bytes.readUInt32LE(at + 8);
  return end <= bytes.length && crc32(bytes.subarray(at + CHECKED_FROM, end)) === bytes.readUInt32LE(at + 4) ? end : undefined;
}

function readEntry(bytes: Buffer, start: number): JournalEntry {
  let at = start + HEADER_BYTES;
  const part = (): Buffer | undefined => {
    const length = bytes.readUInt32LE(at);
    at += 4;
    return length === REMOVED ? undefined : bytes.subarray(at, (at += length));
  };
  const end = at + bytes.readUInt32LE(start + 8);
  const blocks = Array.from({ length: bytes.readUInt32LE(start + 12) }, () => part()!);
  const settings = new Map<string, Buffer | undefined>();
  while (at < end) settings.set(part()!.toString(), part());
  return { sequence: bytes.readDoubleLE(start + 16), blocks, settings };
}
