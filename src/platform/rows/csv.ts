import { isUtf8 } from 'node:buffer';
import { pipeline, Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { BatchBuilder, RowsError, type ReadFrom, type RowBatch } from './batch.js';

/** The most bytes of one row: what is longer has a quote that does not end. */
const longestRow = 16 * 1024 * 1024;

/** The cells of a row, with the line on which it ends and the byte after it. */
type Cells = (string | null)[] & { line: number; endByte: number };

/** The rows of a CSV file (RFC 4180) with a header. An empty cell is null, `""` an empty text, and every other value a text. */
export async function* csvBatches(bytes: AsyncIterable<Buffer>, batchRows: number, from: ReadFrom = { rows: 0 }): AsyncGenerator<RowBatch> {
  const { line: lineBefore = 0, byte: byteBefore = 0 } = from;
  const records = parse({
    bom: byteBefore === 0,
    skip_empty_lines: true,
    max_record_size: longestRow,
    cast: (cell, { quoting }) => (cell === '' && !quoting ? null : cell),
    on_record: (cells, { lines, bytes: end }) => Object.assign(cells, { line: lineBefore + lines, endByte: byteBefore + end }),
  });
  // A failure of the source ends the records with it, so that whoever reads them hears of it.
  pipeline(Readable.from(utf8Lines(bytes, lineBefore), { objectMode: false }), records, () => undefined);
  const gathered = new BatchBuilder(batchRows, from);
  let names = from.names;
  try {
    for await (const cells of records as AsyncIterable<unknown> as AsyncIterable<Cells>) {
      if (names === undefined) names = namesOf(cells);
      else if (cells.length !== names.length) throw new RowsError(`Line ${cells.line} has ${cells.length} cells where the header names ${names.length} columns`);
      else if (gathered.addCells(names, cells, cells.line, cells.endByte)) yield gathered.take()!;
    }
  } catch (error) {
    // The library's sentences name the line.
    throw error instanceof CsvError ? new RowsError(`This is not CSV that can be read: ${sentenceOf(error, lineBefore)}`) : error;
  }
  if (names === undefined) throw new RowsError('The file is empty: its first line must name the columns');
  const rest = gathered.take();
  if (rest) yield rest;
}

function namesOf(cells: readonly (string | null)[]): readonly string[] {
  const names = cells.map((name) => (name ?? '').trim());
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new RowsError(`The header names the column "${twice}" twice`);
  return names;
}

const sentenceOf = ({ message }: CsvError, linesBefore: number): string => message.replace(/\bline (\d+)/, (_, line) => `line ${linesBefore + Number(line)}`);

/** The number of the first line of a piece that is not UTF-8. */
function brokenLineOf(piece: Buffer): number {
  let line = 1;
  for (let from = 0, end = piece.indexOf(10); end >= 0 && isUtf8(piece.subarray(from, end)); end = piece.indexOf(10, from)) {
    from = end + 1;
    line++;
  }
  return line;
}

/** Passes bytes on in pieces that end with a line where they have one, and refuses what is not UTF-8 before it is taken for something else. */
async function* utf8Lines(bytes: AsyncIterable<Buffer>, lineBefore: number): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  let lines = lineBefore;
  const checked = (piece: Buffer): Buffer => {
    if (!isUtf8(piece)) throw new RowsError(`Line ${lines + brokenLineOf(piece)} is not UTF-8`);
    return piece;
  };
  for await (const chunk of bytes) {
    const end = chunk.lastIndexOf(10) + 1;
    const piece = end === 0 ? undefined : Buffer.concat([rest, chunk.subarray(0, end)]);
    rest = piece ? chunk.subarray(end) : Buffer.concat([rest, chunk]);
    if (rest.length > longestRow) throw new RowsError(`A row after line ${lines} is longer than ${longestRow} bytes`);
    if (piece === undefined) continue;
    yield checked(piece);
    for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, at + 1)) lines++;
  }
  if (rest.length > 0) yield checked(rest);
}
