import { randomUUID } from 'node:crypto';
import { CommandFailure, exitCodes } from '../exit-codes.js';
import { whole } from '../progress.js';
import { RowsError, type RowBatch, type RowSource } from '../rows/source.js';
import { batchOf, type Naming } from './columns-of-batch.js';
import type { Group } from './group.js';
import { rowsOf } from './rows-of-batch.js';
import type { RowStream, WriteAnswer, WriteRequest } from './row-stream.js';
import type { Tally } from './tally.js';

/** Enough that the platform is never idle, few enough that memory stays small. */
const mostUnderWay = 8;

/** Sends all rows of a source, counting the answers as they come. The run and a batch's place in the file make the key of the batch, under which it is stored once. */
export async function writeRows(stream: RowStream, source: RowSource, group: Group, naming: Naming, how: Pick<WriteRequest, 'mode' | 'partial' | 'quarantine'>, tally: Tally, counted: (of: RowBatch) => Promise<void> | void, run: string = randomUUID()): Promise<void> {
  const underWay: { answer: Promise<WriteAnswer>; of: RowBatch }[] = [];
  const countOldest = async () => {
    const { answer, of } = underWay.shift()!;
    tally.add(await answer, of);
    await counted(of);
  };
  try {
    for await (const rows of source.batches) {
      if (underWay.length >= mostUnderWay) await countOldest();
      const write = { project: group.project, group: group.group, ...how, ...(how.quarantine && { lines: linesOf(rows) }), ...partsOf(rows, group, naming, how.quarantine || how.partial) };
      underWay.push({ ...(await stream.send(write, `${run}:${rows.first}`)), of: rows });
    }
    while (underWay.length > 0) await countOldest();
    await stream.close();
  } catch (error) {
    if (!(error instanceof CommandFailure || error instanceof RowsError)) throw error;
    const kept = await settled(underWay, tally);
    throw new CommandFailure(`${error.message}\n${kept > 0 ? `${whole.format(kept)} rows were written before and stay` : 'Nothing was written'}.`, error instanceof RowsError ? exitCodes.usage : error.exitCode, { cause: error });
  }
}

/** The rows in columns; where single rows may be refused, also those that do not fit their columns, one by one. */
function partsOf(batch: RowBatch, group: Group, naming: Naming, some: boolean | undefined): Pick<WriteRequest, 'batch' | 'rows'> {
  try {
    return { batch: batchOf(batch, group, naming) };
  } catch (error) {
    if (!some || !(error instanceof RowsError)) throw error;
    return { rows: rowsOf(batch, group, naming) };
  }
}

/** Where the rows of a batch stand in their file. */
const linesOf = ({ first, rows, lines }: RowBatch): readonly number[] => lines ?? Array.from({ length: rows }, (_, row) => first + row);

/** Rows that are written when the answers still under way have come, or failed. */
async function settled(underWay: readonly { answer: Promise<WriteAnswer> }[], tally: Tally): Promise<number> {
  const answers = await Promise.allSettled(underWay.map(({ answer }) => answer));
  return answers.reduce((rows, one) => rows + (one.status === 'fulfilled' ? (one.value.written?.rowsWritten ?? 0) : 0), tally.rowsWritten);
}
