import { refused, type RefusalSaid } from '../failures.js';
import { whole } from '../progress.js';
import { placeOf, type RowBatch } from '../rows/source.js';
import type { WriteAnswer } from './row-stream.js';

const faultsShown = 10;

/** What has become of the rows of a file. */
export class Tally {
  rowsWritten = 0;
  rowsRejected = 0;
  position = '';
  /** What is wrong with the first of the rejected rows, by their line or number in the file. */
  readonly faults: string[] = [];
  private readonly started = performance.now();

  /** Counts an answer; fails with the platform's refusal of a whole batch. */
  add({ written, refusal }: WriteAnswer, batch: RowBatch): void {
    if (refusal) throw refused(inFile(refusal, batch));
    if (!written) return;
    this.rowsWritten += written.rowsWritten;
    this.rowsRejected += written.rowsRejected;
    if (written.position !== '') this.position = written.position;
    for (const { row, field, description } of written.faults.slice(0, faultsShown - this.faults.length)) this.faults.push(`${placeOf(batch, row)}, ${field}: ${description}`);
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
    return `${whole.format(rowsWritten)} ${rowsWritten === 1 ? 'row' : 'rows'} written${rejected} in ${seconds.toFixed(1)} s (${whole.format(rowsWritten / seconds)} rows/s), up to position ${position || 'none'}.`;
  }
}

/** A refusal that names rows by their place in the file, where the platform counts from zero in each request. */
function inFile({ message, fields, ...refusal }: NonNullable<WriteAnswer['refusal']>, batch: RowBatch): RefusalSaid {
  const renamed = (text: string) => text.replace(/rows\[(\d+)\]\.?/g, (_, row) => `${placeOf(batch, Number(row)).toLowerCase()}, `);
  return { ...refusal, message: renamed(message), fields: fields.map(({ field, description }) => ({ field: renamed(field), description })) };
}
