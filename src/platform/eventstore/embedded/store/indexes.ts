import type { SealedBlock } from './block-builder.js';
import type { BlockLog } from './block-log.js';
import type { Environment } from './environment.js';
import type { NameIndex } from './name-index.js';
import type { DueRuns, StreamIndex } from './stream-index.js';
import type { StreamState } from './streams.js';

/** What of the indexes is stored at once. */
export interface DueEntries {
  readonly runs: readonly DueRuns[];
  readonly names: readonly string[];
  /** From where on the log is then not indexed on disk. */
  readonly indexedTo: number;
}

/** The setting that says from where on the log is not indexed on disk. */
const INDEXED = 'indexed-to';

/** The two indexes of the log, kept on disk some way behind it and completed from it when the store is opened. */
export class Indexes {
  constructor(
    private readonly runs: StreamIndex,
    private readonly names: NameIndex,
    private readonly environment: Pick<Environment, 'settings'>,
  ) {}

  /** Reads the end of the log that is not indexed on disk. */
  recover(log: BlockLog): void {
    const from = this.environment.settings.get(INDEXED)?.readDoubleLE(0) ?? 0;
    for (let block = log.atOrAfter(from); block !== undefined; block = log.atOrAfter(block.end)) {
      this.runs.recover(block);
      this.names.recover(block);
    }
  }

  hold(blocks: readonly SealedBlock[], newStreams: readonly StreamState[]): void {
    for (const block of blocks) this.runs.hold(block);
    for (const { name, number } of newStreams) this.names.hold(name, number);
  }

  /** What is to be stored next. `end` is where the durable log ends. */
  due(all: boolean, end: number): DueEntries {
    const [runs, names] = [this.runs.due(all), this.names.due(all)];
    return { runs, names, indexedTo: Math.min(this.runs.heldFrom(runs), this.names.heldFrom(names), end) };
  }

  /** Writes what is due; called inside a transaction. */
  store({ runs, names, indexedTo }: DueEntries): void {
    if (runs.length === 0 && names.length === 0) return;
    this.runs.store(runs);
    this.names.store(names);
    const from = Buffer.allocUnsafe(8);
    from.writeDoubleLE(indexedTo, 0);
    void this.environment.settings.put(INDEXED, from);
  }

  release({ runs, names }: DueEntries): void {
    this.runs.release(runs);
    this.names.release(names);
  }
}
