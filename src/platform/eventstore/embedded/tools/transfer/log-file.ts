import { once } from 'node:events';
import { createReadStream, createWriteStream, existsSync, fstatSync, openSync, readSync, truncateSync, closeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { Readable, type Writable } from 'node:stream';
import { comparePositions, startOfLog, type Position } from '../../../position.js';
import { fromLine, LineError, toLine, type LoggedEvent } from './logged-event.js';

const LINES_AT_ONCE = 256;
const TAIL_BYTES = 1024 * 1024;

/** Writes events as lines, waiting for whoever takes them. Returns how many there were and the position of the last. */
export async function writeLines(events: AsyncIterable<readonly LoggedEvent[]>, out: Writable, progress: (position: Position) => void): Promise<{ events: number; position: Position | undefined }> {
  let [count, position]: [number, Position | undefined] = [0, undefined];
  for await (const some of events) {
    if (some.length === 0) continue;
    count += some.length;
    position = some.at(-1)!.position;
    if (!out.write(some.map((event) => `${toLine(event)}\n`).join(''))) await once(out, 'drain');
    progress(position);
  }
  return { events: count, position };
}

/** Opens the file of an export, to begin it anew or to go on with it, and closes it when `write` is through. */
export async function intoFile<T>(file: string, append: boolean, write: (out: Writable) => Promise<T>): Promise<T> {
  const out = createWriteStream(file, { flags: append ? 'a' : 'w', flush: true });
  await once(out, 'open');
  const failed = once(out, 'error').then(([error]) => {
    throw error as Error;
  });
  const result = await Promise.race([write(out), failed]);
  failed.catch(() => undefined);
  out.end();
  await finished(out);
  return result;
}

/** The events in the lines of an export behind a position. Throws LineError with the line's number. */
export async function* readLines(bytes: AsyncIterable<Buffer>, after: Position): AsyncGenerator<LoggedEvent[]> {
  let number = 0;
  let gathered: LoggedEvent[] = [];
  for await (const line of linesOf(bytes)) {
    number++;
    if (line.trim() === '') continue;
    const event = inLine(line, number);
    if (comparePositions(event.position, after) > 0) gathered.push(event);
    if (gathered.length < LINES_AT_ONCE) continue;
    yield gathered;
    gathered = [];
  }
  yield gathered;
}

/** The bytes of an export; `-` stands for standard input. */
export const fromFile = (file: string): AsyncIterable<Buffer> => (file === '-' ? process.stdin : createReadStream(file));

/** Where an export that was broken off ended; what is half written there is cut off. */
export function lastPosition(file: string): Position {
  if (!existsSync(file)) return startOfLog;
  const handle = openSync(file, 'r');
  const { size } = fstatSync(handle);
  try {
    for (let tail = Math.min(size, TAIL_BYTES); ; tail = Math.min(size, tail * 4)) {
      const text = Buffer.alloc(tail);
      readSync(handle, text, 0, tail, size - tail);
      const end = text.lastIndexOf('\n');
      const start = end < 1 ? -1 : text.lastIndexOf('\n', end - 1);
      if (tail < size && start < 0) continue;
      truncateSync(file, size - tail + end + 1);
      return end < 0 ? startOfLog : inLine(text.toString('utf8', start + 1, end), undefined).position;
    }
  } finally {
    closeSync(handle);
  }
}

async function* linesOf(bytes: AsyncIterable<Buffer>): AsyncGenerator<string> {
  yield* createInterface({ input: Readable.from(bytes), crlfDelay: Infinity });
}

function inLine(line: string, number: number | undefined): LoggedEvent {
  try {
    return fromLine(line);
  } catch (error) {
    const where = number === undefined ? 'The last line' : `Line ${number}`;
    throw new LineError(`${where} is not one of an exported log: ${(error as Error).message}`);
  }
}
