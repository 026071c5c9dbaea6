import { refused } from '../failures.js';
import { whole } from '../progress.js';
import type { RowBatch } from '../rows/batch.js';
import type { WriteAnswer } from './row-stream.js';

const faultsShown = 10;

/** What has become of the rows of a file. */
export class Tally {
  rowsWritten = 0;
  rowsRejected = 0;
  position = '';
  /** What is wrong with the first of the rejected rows, by their number in the file. */
  readonly faults: string[] = [];
  private readonly started = performance.now();

  /** Counts an answer; fails with the platform's refusal of a whole batch. */
  add({ written, refusal }: WriteAnswer, { first, rows }: RowBatch): void {
    if (refusal) throw refused({ ...refusal, message: `${refusal.message} (rows ${first} to ${first + rows - 1} of the file; row 0 of the request is row ${first})` });
    if (!written) return;
    this.rowsWritten += written.rowsWritten;
    this.rowsRejected += written.rowsRejected;
    if (written.position !== '') this.position = written.position;
    for (const { row, field, description } of written.faults.slice(0, faultsShown - this.faults.length)) this.faults.push(`Row ${first + row}, ${field}: ${description}`);
  }

  get seconds(): number {
    return (performance.now() - this.started) / 1000;
  }

  summary() {
    const { rowsWritten, rowsRejected, position, faults } = this;
    return { rowsWritten, rowsRejected, position, seconds: Number(this.seconds.toFixed(3)), faults };
  }

  sentence(): string {
    const { rowsWritten, rowsRejected, position, seconds } = this;
    const rejected = rowsRejected > 0 ? `, ${whole.format(rowsRejected)} rejected` : '';
    return `${whole.format(rowsWritten)} rows written${rejected} in ${seconds.toFixed(1)} s (${whole.format(rowsWritten / seconds)} rows/s), up to position ${position || 'none'}.`;
  }
}
