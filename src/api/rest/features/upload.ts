import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Refusal } from '../../../domain/kit/index.js';
import { arrowBatches } from '../../../platform/rows/arrow.js';
import type { RowBatch } from '../../../platform/rows/batch.js';
import { csvBatches } from '../../../platform/rows/csv.js';
import { ndjsonBatches } from '../../../platform/rows/ndjson.js';
import { openParquet } from '../../../platform/rows/parquet.js';
import type { StreamedBody } from './bodies.js';

/** The rows of an upload as they come. What can only be read from its end is put into a file first, up to `mostBytes`. */
export async function* uploadedBatches({ mediaType, bytes }: StreamedBody, batchRows: number, mostBytes: number): AsyncGenerator<RowBatch> {
  switch (mediaType) {
    case 'text/csv':
      return yield* csvBatches(bytes, batchRows);
    case 'application/x-ndjson':
      return yield* ndjsonBatches(bytes, batchRows);
    case 'application/vnd.apache.arrow.stream':
    case 'application/vnd.apache.arrow.file': {
      const { begins, all } = await peeked(bytes, 'ARROW1');
      return begins ? yield* spooled(all, mostBytes, async function* (path) {
        await using file = await open(path);
        yield* arrowBatches(file, batchRows);
      }) : yield* arrowBatches(all, batchRows);
    }
    case 'application/vnd.apache.parquet':
      return yield* spooled(bytes, mostBytes, async function* (path) {
        yield* (await openParquet(path, 'The body')).batches(batchRows);
      });
  }
}

/** A file of its own for the time of reading it. */
async function* spooled(bytes: AsyncIterable<Buffer>, mostBytes: number, read: (path: string) => AsyncGenerator<RowBatch>): AsyncGenerator<RowBatch> {
  const path = join(tmpdir(), `tarl-import-${process.pid}-${randomUUID()}`);
  try {
    await pipeline(limited(bytes, mostBytes), createWriteStream(path, { mode: 0o600 }));
    yield* read(path);
  } finally {
    await rm(path, { force: true });
  }
}

async function* limited(bytes: AsyncIterable<Buffer>, mostBytes: number): AsyncGenerator<Buffer> {
  let taken = 0;
  for await (const piece of bytes) {
    taken += piece.length;
    if (taken > mostBytes) throw new Refusal('RESOURCE_EXHAUSTED', `The file is larger than ${mostBytes} bytes, which is the most that is read from its end; send it in parts, or as an Arrow stream`, { reason: 'BODY_TOO_LARGE' });
    yield piece;
  }
}

/** Whether a stream begins with a word, and the whole of it. */
async function peeked(bytes: AsyncIterable<Buffer>, word: string): Promise<{ begins: boolean; all: AsyncIterable<Buffer> }> {
  const rest = bytes[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < word.length) {
    const { value, done } = await rest.next();
    if (done) break;
    head = Buffer.concat([head, value]);
  }
  async function* all(): AsyncGenerator<Buffer> {
    if (head.length > 0) yield head;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  }
  return { begins: head.subarray(0, word.length).toString('latin1') === word, all: all() };
}
