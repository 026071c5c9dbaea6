import type { Block } from './block.js';

/** A setting that was changed and is not stored. */
interface PendingSetting {
  readonly name: string;
  readonly value: Buffer | undefined;
}

/** What of the pending there was at one moment. */
export interface Taken {
  readonly blocks: readonly Block[];
  readonly settings: readonly PendingSetting[];
  /** The last entry of the journal that this holds. */
  readonly last: number;
}

/** What is durable in the journal and not stored in LMDB yet, to be read from memory meanwhile: never more than the journal has room for. */
export class Pending {
  private readonly blocks = new Map<number, Block>();
  /** The keys of the blocks, in order. */
  private readonly keys: number[] = [];
  private readonly settings = new Map<string, PendingSetting>();
  /** Bytes of the blocks. */
  bytes = 0;

  /** `last`: the last entry of the journal that was written, or that failed and does not count. */
  constructor(public last = 0) {}

  add(sequence: number, blocks: readonly Block[], settings: ReadonlyMap<string, Buffer | undefined>): void {
    this.last = sequence;
    for (const block of blocks) {
      this.blocks.set(block.first, block);
      this.keys.push(block.first);
      this.bytes += block.bytes.length;
    }
    for (const [name, value] of settings) this.settings.set(name, { name, value });
  }

  get isEmpty(): boolean {
    return this.blocks.size === 0 && this.settings.size === 0;
  }

  /** Everything there is now. */
  take(): Taken {
    return { blocks: [...this.blocks.values()], settings: [...this.settings.values()], last: this.last };
  }

  /** Lets go of what is stored. */
  release({ blocks, settings }: Taken): void {
    for (const block of blocks) {
      this.blocks.delete(block.first);
      this.bytes -= block.bytes.length;
    }
    this.keys.splice(0, blocks.length);
    // Those that were changed again stay.
    for (const setting of settings) if (this.settings.get(setting.name) === setting) this.settings.delete(setting.name);
  }

  block(key: number): Block | undefined {
    return this.blocks.get(key);
  }

  /** All blocks, in order. */
  all(): IterableIterator<Block> {
    return this.blocks.values();
  }

  /** The key of the first block. */
  get firstKey(): number | undefined {
    return this.keys[0];
  }

  /** The key of the last block that begins before `position`. */
  keyBefore(position: number): number | undefined {
    return this.keys[this.firstAtOrAfter(position) - 1];
  }

  /** The key of the first block that begins at `position` or after it. */
  keyAtOrAfter(position: number): number | undefined {
    return this.keys[this.firstAtOrAfter(position)];
  }

  /** A changed setting: `value` is undefined when it is removed. */
  setting(name: string): PendingSetting | undefined {
    return this.settings.get(name);
  }

  /** The changed settings whose names begin so. */
  settingsLike(prefix: string): PendingSetting[] {
    return [...this.settings.values().filter(({ name }) => name.startsWith(prefix))];
  }

  private firstAtOrAfter(position: number): number {
    let [low, high] = [0, this.keys.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.keys[middle]! < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
