import { isUtf8 } from 'node:buffer';
import { parseExactly } from './exact-json.js';
import { BatchBuilder, RowsError, type ReadFrom, type RowBatch } from './batch.js';

/** The most bytes of one line. */
const longestLine = 16 * 1024 * 1024;

/** The rows of a file that holds one JSON object a line, whole numbers beyond 2^53 as bigint; empty lines count for nothing. */
export async function* ndjsonBatches(bytes: AsyncIterable<Buffer>, batchRows: number, from: ReadFrom = { rows: 0 }): AsyncGenerator<RowBatch> {
  const gathered = new BatchBuilder(batchRows, from);
  let line = from.line ?? 0;
  let byte = from.byte ?? 0;
  for await (const text of linesOf(bytes, line)) {
    line++;
    byte += text.length + 1;
    const row = objectIn(text, line);
    if (row && gathered.add(row, line, byte)) yield gathered.take()!;
  }
  const rest = gathered.take();
  if (rest) yield rest;
}

async function* linesOf(bytes: AsyncIterable<Buffer>, before: number): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  let line = before;
  for await (const chunk of bytes) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      const piece = chunk.subarray(from, end);
      line++;
      yield restBytes === 0 ? piece : Buffer.concat([...rest, piece]);
      rest = [];
      restBytes = 0;
      from = end + 1;
    }
    if (from === chunk.length) continue;
    rest.push(chunk.subarray(from));
    restBytes += chunk.length - from;
    if (restBytes > longestLine) throw new RowsError(`Line ${line + 1} is longer than ${longestLine} bytes`);
  }
  if (restBytes > 0) yield Buffer.concat(rest);
}

function objectIn(bytes: Buffer, line: number): Record<string, unknown> | undefined {
  if (!isUtf8(bytes)) throw new RowsError(`Line ${line} is not UTF-8`);
  const text = bytes.toString();
  if (text.trim() === '') return undefined;
  let value: unknown;
  try {
    value = parseExactly(text, 1);
  } catch (error) {
    throw new RowsError(`Line ${line} is not JSON: ${(error as Error).message}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new RowsError(`Line ${line} is not a JSON object`);
}
