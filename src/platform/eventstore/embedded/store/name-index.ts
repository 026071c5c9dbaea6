import { createHash } from 'node:crypto';
import type { Block } from './block.js';
import type { Environment } from './environment.js';

/** Names held in memory before the oldest of them are stored. */
const HELD = 4096;
const SPARE = 256;
/** Longer names are stored under their hash: LMDB's keys are short. */
const LONGEST_KEY = 1000;
const PLAIN = Buffer.from([1]);
const HASHED = Buffer.from([2]);

/** Stream numbers by name. The latest are only in memory at first, like the runs of the stream index. */
export class NameIndex {
  private readonly held = new Map<string, number>();

  constructor(private readonly environment: Pick<Environment, 'names'>) {}

  /** The number of a stream: the position of its first event. */
  get(name: string): number | undefined {
    return this.held.get(name) ?? this.environment.names.get(nameKey(name))?.readDoubleLE(0);
  }

  /** Takes in a stream whose first event has just become durable. */
  hold(name: string, number: number): void {
    this.held.set(name, number);
  }

  /** Finds the streams that begin in a block and that a crash may have lost. */
  recover(block: Block): void {
    for (let row = 0; row < block.count; row++) {
      if (block.stream(row) !== block.position(row) || !block.has(row) || !block.isIntact(row)) continue;
      const name = block.streamName(row);
      if (this.get(name) === undefined) this.hold(name, block.position(row));
    }
  }

  /** The names to be stored next. */
  due(all: boolean): string[] {
    if (all) return [...this.held.keys()];
    if (this.held.size <= HELD) return [];
    return [...this.held.keys().take(this.held.size - HELD + SPARE)];
  }

  /** Writes these held names; called inside a transaction. */
  store(names: readonly string[]): void {
    for (const name of names) {
      const value = Buffer.allocUnsafe(8);
      value.writeDoubleLE(this.held.get(name)!, 0);
      void this.environment.names.put(nameKey(name), value);
    }
  }

  release(names: readonly string[]): void {
    for (const name of names) this.held.delete(name);
  }

  /** The position from which on names are in memory only, once the given ones are stored. */
  heldFrom(stored: readonly string[]): number {
    const next = this.held.values().drop(stored.length).next();
    return next.done ? Infinity : next.value;
  }
}

function nameKey(name: string): Buffer {
  const bytes = Buffer.from(name);
  if (bytes.length <= LONGEST_KEY) return Buffer.concat([PLAIN, bytes]);
  return Buffer.concat([HASHED, createHash('sha256').update(bytes).digest()]);
}
