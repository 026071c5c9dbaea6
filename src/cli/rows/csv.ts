import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { BatchBuilder, RowsError, type RowBatch } from './batch.js';

/** The rows of a CSV file with a header. An empty cell is null; every other value is a text. */
export async function* csvBatches(bytes: AsyncIterable<Buffer>, batchRows: number): AsyncGenerator<RowBatch> {
  const records = Readable.from(bytes).pipe(parse({ bom: true, skip_empty_lines: true }));
  const gathered = new BatchBuilder(batchRows);
  let names: readonly string[] | undefined;
  try {
    for await (const cells of records as AsyncIterable<string[]>) {
      if (names === undefined) names = headerOf(cells);
      else if (gathered.add(rowOf(names, cells))) yield gathered.take()!;
    }
  } catch (error) {
    // The library's sentences name the line.
    throw error instanceof CsvError ? new RowsError(`This is not CSV that can be read: ${error.message}`) : error;
  }
  if (names === undefined) throw new RowsError('The file is empty: its first line must name the columns');
  const rest = gathered.take();
  if (rest) yield rest;
}

function headerOf(cells: readonly string[]): readonly string[] {
  const names = cells.map((name) => name.trim());
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new RowsError(`The header names the column "${twice}" twice`);
  return names;
}

function rowOf(names: readonly string[], cells: readonly string[]): Record<string, string | null> {
  const row: Record<string, string | null> = {};
  for (let at = 0; at < names.length; at++) row[names[at]!] = cells[at] === '' ? null : cells[at]!;
  return row;
}
