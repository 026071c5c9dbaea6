import { parse } from 'csv-parse';
import { isUtf8 } from 'node:buffer';
import { Refusal } from '../../../domain/kit/index.js';
import { ColumnsBody } from './columns-body.js';

/** A body of CSV with a line of names: one object a row, an empty cell as null. All its values are texts. */
export class CsvBody {
  constructor(readonly values: readonly Readonly<Record<string, string | null>>[]) {}
}

/** Names without rows are columns all the same. */
const namesAlone = (names: readonly string[]) => new ColumnsBody(0, new Map(names.map((name) => [name, []])), new Map());

/** Reads CSV as RFC 4180 has it. */
export async function readCsv(body: Buffer): Promise<CsvBody | ColumnsBody> {
  if (!isUtf8(body)) throw malformed('it is not UTF-8');
  let names: string[] = [];
  return new Promise((done, failed) => {
    parse(body, { bom: true, columns: (cells: string[]) => (names = namesOf(cells)), cast: (cell, { quoting, header }) => (cell === '' && !quoting && !header ? null : cell), skip_empty_lines: true }, (error, rows) => {
      if (error) failed(error instanceof Refusal ? error : malformed(error.message));
      else done(rows.length === 0 ? namesAlone(names) : new CsvBody(rows as unknown as CsvBody['values']));
    });
  });
}

function namesOf(names: string[]): string[] {
  const twice = names.find((name, at) => names.indexOf(name) < at);
  if (twice !== undefined) throw malformed(`two columns are called ${twice}`);
  if (names.some((name) => name === '' || name === '__proto__')) throw malformed('a column has no usable name');
  return names;
}

const malformed = (why: string) => new Refusal('INVALID_ARGUMENT', `The body is not CSV: ${why}`, { reason: 'MALFORMED_CSV' });
