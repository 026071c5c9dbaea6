import { Block } from './block.js';
import type { Environment } from './environment.js';
import type { MappedMemory } from './mapped-memory.js';
import type { Pending } from './pending.js';

/** Bytes of blocks kept in memory: enough for every live reader to find the latest ones there. */
const CACHE_BYTES = 8 * 1024 * 1024;

/** The blocks of the log by position. Only what is durable is ever seen through it. */
export class BlockLog {
  /** The position behind the last durable event. */
  end: number;
  private readonly cache = new Map<number, Block>();
  private cachedBytes = 0;

  constructor(
    private readonly environment: Pick<Environment, 'log'>,
    private readonly pending: Pending,
    firstPosition: number,
    private readonly mapped?: MappedMemory,
  ) {
    this.end = firstPosition;
    const last = this.lastKey();
    if (last !== undefined) this.end = this.load(last)!.end;
  }

  /** The last block of the log. */
  last(): Block | undefined {
    const key = this.lastKey();
    return key === undefined ? undefined : this.load(key);
  }

  /** The block that holds `position`, or the first one after it. */
  atOrAfter(position: number): Block | undefined {
    return this.find(position, (key) => this.load(key));
  }

  /** The same for one look: the block is good until anything else is read, and costs no memory of its own. */
  glimpse(position: number): Block | undefined {
    return this.find(position, (key) => this.inMemory(key) ?? this.passing(key));
  }

  private find(position: number, load: (key: number) => Block | undefined): Block | undefined {
    if (position >= this.end) return undefined;
    const exact = load(position);
    if (exact !== undefined) return exact;
    const before = this.keyBefore(position);
    const block = before === undefined ? undefined : load(before);
    if (block !== undefined && position < block.end) return block;
    const after = this.keyAtOrAfter(position);
    return after === undefined || after >= this.end ? undefined : load(after);
  }

  /** The block that holds the position before `position`, or the last one before it. */
  before(position: number): Block | undefined {
    const key = this.keyBefore(Math.min(position, this.end));
    return key === undefined ? undefined : this.load(key);
  }

  /** The block of this key. */
  load(key: number): Block | undefined {
    const known = this.inMemory(key);
    if (known !== undefined) return known;
    const bytes = this.environment.log.getBinary(key);
    if (bytes === undefined) return undefined;
    this.mapped?.noteRead();
    const block = Block.stored(asBuffer(bytes), key);
    this.remember(block);
    return block;
  }

  private inMemory(key: number): Block | undefined {
    return this.cache.get(key) ?? this.pending.block(key);
  }

  /** In the bytes that LMDB's binding reads everything into. */
  private passing(key: number): Block | undefined {
    const bytes = this.environment.log.getBinaryFast(key);
    if (bytes === undefined) return undefined;
    this.mapped?.noteRead();
    // Its length is that of what was read last, its memory is larger.
    return Block.stored(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), key);
  }

  /** Takes in blocks that have just become durable. */
  committed(blocks: readonly Block[], end: number): void {
    for (const block of blocks) this.remember(block);
    this.end = end;
  }

  forget(key: number): void {
    const block = this.cache.get(key);
    if (block === undefined) return;
    this.cache.delete(key);
    this.cachedBytes -= block.bytes.length;
  }

  private remember(block: Block): void {
    this.forget(block.first);
    this.cache.set(block.first, block);
    this.cachedBytes += block.bytes.length;
    if (this.cachedBytes <= CACHE_BYTES) return;
    for (const key of this.cache.keys()) {
      this.forget(key);
      if (this.cachedBytes <= CACHE_BYTES) return;
    }
  }

  private lastKey(): number | undefined {
    const pending = this.pending.keyBefore(Infinity);
    if (pending !== undefined) return pending;
    for (const key of this.environment.log.getKeys({ reverse: true, limit: 1 })) return key;
    return undefined;
  }

  /** The key of the first block that begins at `position` or after it. */
  keyAtOrAfter(position: number): number | undefined {
    // Pending blocks are the last ones.
    if (position < (this.pending.firstKey ?? Infinity)) for (const key of this.environment.log.getKeys({ start: position, limit: 1 })) return key;
    return this.pending.keyAtOrAfter(position);
  }

  /** The key of the last block that begins before `position`. */
  keyBefore(position: number): number | undefined {
    const pending = this.pending.keyBefore(position);
    if (pending !== undefined) return pending;
    for (const key of this.environment.log.getKeys({ start: position - 1, reverse: true, limit: 1 })) return key;
    return undefined;
  }
}

/** lmdb hands out plain byte arrays in some paths. */
const asBuffer = (bytes: Uint8Array): Buffer => (Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
