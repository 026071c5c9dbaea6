import type { SealedBlock } from './block-builder.js';
import type { BlockLog } from './block-log.js';
import type { Environment } from './environment.js';
import type { NameIndex } from './name-index.js';
import type { StreamIndex } from './stream-index.js';
import type { StreamState } from './streams.js';

/** What of the indexes is stored with one commit. */
export interface DueEntries {
  readonly streams: readonly number[];
  readonly names: readonly string[];
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

  due(all = false): DueEntries {
    return { streams: this.runs.due(all), names: this.names.due(all) };
  }

  /** Writes what is due; called inside a transaction. `end` is where the durable log ends. */
  store(due: DueEntries, end: number): void {
    if (due.streams.length === 0 && due.names.length === 0) return;
    this.runs.store(due.streams);
    this.names.store(due.names);
    const from = Buffer.allocUnsafe(8);
    from.writeDoubleLE(Math.min(this.runs.heldFrom(due.streams), this.names.heldFrom(due.names), end), 0);
    void this.environment.settings.put(INDEXED, from);
  }

  release({ streams, names }: DueEntries): void {
    this.runs.release(streams);
    this.names.release(names);
  }
}
