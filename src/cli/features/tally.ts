import { refused, type RefusalSaid } from '../failures.js';
import { whole } from '../progress.js';
import { inPlaces, placeOf, type RowBatch } from '../rows/source.js';
import type { WriteAnswer } from './row-stream.js';

const faultsShown = 10;

/** What has become of the rows of a file. */
export class Tally {
  rowsWritten = 0;
  rowsRejected = 0;
  rowsQuarantined = 0;
  position = '';
  /** What is wrong with the first of the rejected rows, by their line or number in the file. */
  readonly faults: string[] = [];
  private readonly started = performance.now();
  private readonly writtenBefore: number;

  /** Goes on counting where an earlier run of the same import stopped. */
  constructor(before?: Pick<Tally, 'rowsWritten' | 'rowsRejected' | 'rowsQuarantined' | 'position'>) {
    Object.assign(this, before && { rowsWritten: before.rowsWritten, rowsRejected: before.rowsRejected, rowsQuarantined: before.rowsQuarantined, position: before.position });
    this.writtenBefore = this.rowsWritten;
  }

  /** Counts an answer; fails with the platform's refusal of a whole batch. */
  add({ written, refusal }: WriteAnswer, batch: RowBatch): void {
    if (refusal) throw refused(inFile(refusal, batch));
    if (!written) return;
    this.rowsWritten += written.rowsWritten;
    this.rowsRejected += written.rowsRejected;
    this.rowsQuarantined += written.rowsQuarantined;
    if (written.position !== '') this.position = written.position;
    for (const { row, field, description } of written.faults.slice(0, faultsShown - this.faults.length)) this.faults.push(`${placeOf(batch, row)}, ${field}: ${inPlaces(description, (other) => placeOf(batch, other))}`);
  }

  get seconds(): number {
    return (performance.now() - this.started) / 1000;
  }

  summary() {
    const { rowsWritten, rowsRejected, rowsQuarantined, position, faults } = this;
    return { rowsWritten, rowsRejected, rowsQuarantined, position, seconds: Number(this.seconds.toFixed(3)), faults };
  }

  sentence(): string {
    const { rowsWritten, rowsRejected, rowsQuarantined, position, seconds } = this;
    const kept = rowsQuarantined > 0 ? ', and kept for mending' : '';
    const rejected = rowsRejected > 0 ? `, ${whole.format(rowsRejected)} rejected${kept}` : '';
    return `${whole.format(rowsWritten)} ${rowsWritten === 1 ? 'row' : 'rows'} written${rejected} in ${seconds.toFixed(1)} s (${whole.format((rowsWritten - this.writtenBefore) / seconds)} rows/s), up to position ${position || 'none'}.`;
  }
}

/** A refusal that names rows by their place in the file, where the platform counts from zero in each request. */
function inFile({ message, fields, ...refusal }: NonNullable<WriteAnswer['refusal']>, batch: RowBatch): RefusalSaid {
  const renamed = (text: string) => inPlaces(text, (row) => placeOf(batch, row));
  return { ...refusal, message: renamed(message), fields: fields.map(({ field, description }) => ({ field: renamed(field), description: renamed(description) })) };
}
