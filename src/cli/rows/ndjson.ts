import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { BatchBuilder, RowsError, type RowBatch } from './batch.js';

/** The rows of a file that holds one JSON object a line. */
export async function* ndjsonBatches(bytes: AsyncIterable<Buffer>, batchRows: number): AsyncGenerator<RowBatch> {
  const gathered = new BatchBuilder(batchRows);
  let line = 0;
  for await (const text of createInterface({ input: Readable.from(bytes), crlfDelay: Infinity })) {
    line++;
    if (text.trim() !== '' && gathered.add(objectIn(text, line))) yield gathered.take()!;
  }
  const rest = gathered.take();
  if (rest) yield rest;
}

function objectIn(text: string, line: number): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RowsError(`Line ${line} is not JSON: ${(error as Error).message}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new RowsError(`Line ${line} is not a JSON object`);
}
