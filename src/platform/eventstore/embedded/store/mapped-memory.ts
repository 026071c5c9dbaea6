import { readFileSync } from 'node:fs';

/** Mapped file pages that may come on top of those at the start, or after they were let go of. */
const ALLOWED_BYTES = 32 * 1024 * 1024;
/** Reads from disk between two looks. */
const EVERY = 64;
const PAGE_BYTES = 4096;

/** Watches how much of the data file is mapped into this process. Only Linux tells; elsewhere nothing is ever too much. */
export class MappedMemory {
  private reads = 0;
  private without = mappedBytes();

  constructor(private readonly tooMuch: () => void) {}

  /** Notes one read from disk. */
  noteRead(): void {
    if (++this.reads % EVERY === 0) this.look();
  }

  /** Looks at once: a transaction maps what it looks at to make its changes, and the pages around. */
  look(): void {
    if (mappedBytes() > this.without + ALLOWED_BYTES) this.tooMuch();
  }

  /** The pages of the data file were let go of: what is mapped now is not its, and letting go again would not help. */
  noteRemapped(): void {
    this.without = mappedBytes();
  }
}

function mappedBytes(): number {
  if (process.platform !== 'linux') return 0;
  return Number(readFileSync('/proc/self/statm', 'latin1').split(' ')[2]) * PAGE_BYTES;
}
