import { Block } from './block.js';
import type { Environment } from './environment.js';
import type { MappedMemory } from './mapped-memory.js';

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
    return this.find(position, (key) => this.cache.get(key) ?? this.passing(key));
  }

  private find(position: number, load: (key: number) => Block | undefined): Block | undefined {
    if (position >= this.end) return undefined;
    const exact = load(position);
    if (exact !== undefined) return exact;
    const before = this.keyBefore(position);
    const block = before === undefined ? undefined : load(before);
    if (block !== undefined && position < block.end) return block;
    for (const key of this.environment.log.getKeys({ start: position, limit: 1 })) return key < this.end ? load(key) : undefined;
    return undefined;
  }

  /** The block that holds the position before `position`, or the last one before it. */
  before(position: number): Block | undefined {
    const key = this.keyBefore(Math.min(position, this.end));
    return key === undefined ? undefined : this.load(key);
  }

  /** The block of this key. */
  load(key: number): Block | undefined {
    const cached = this.cache.get(key);
    if (cached !== undefined) return cached;
    const bytes = this.environment.log.getBinary(key);
    if (bytes === undefined) return undefined;
    this.mapped?.noteRead();
    const block = Block.stored(asBuffer(bytes), key);
    this.remember(block);
    return block;
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
    for (const key of this.environment.log.getKeys({ reverse: true, limit: 1 })) return key;
    return undefined;
  }

  /** The key of the last block that begins before `position`. */
  keyBefore(position: number): number | undefined {
    for (const key of this.environment.log.getKeys({ start: position - 1, reverse: true, limit: 1 })) return key;
    return undefined;
  }
}

/** lmdb hands out plain byte arrays in some paths. */
const asBuffer = (bytes: Uint8Array): Buffer => (Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
