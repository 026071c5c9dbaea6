import { isUtf8 } from 'node:buffer';
import { Refusal } from '../../../domain/kit/index.js';
import { parseExactly } from '../../../platform/rows/exact-json.js';

/** A body of one JSON value a line. */
export class NdjsonBody {
  constructor(readonly values: readonly unknown[]) {}
}

/** How the text of one line is read. */
type Parse = (line: string) => unknown;

/** Reads one JSON value a line; empty lines count for nothing. */
export const readNdjson = (body: Buffer, parse: Parse = JSON.parse): NdjsonBody => new NdjsonBody(linesOf(body, parse));

/** The same, with all digits of whole numbers. */
export const readNdjsonExactly = (body: Buffer): NdjsonBody => readNdjson(body, (line) => parseExactly(line, 1));

function linesOf(body: Buffer, parse: Parse): unknown[] {
  if (!isUtf8(body)) throw malformed('it is not UTF-8');
  return body
    .toString()
    .split('\n')
    .flatMap((line, index) => (line.trim() === '' ? [] : [valueOf(line, index, parse)]));
}

function valueOf(line: string, index: number, parse: Parse): unknown {
  try {
    return parse(line);
  } catch (error) {
    throw malformed(`line ${index + 1}: ${(error as Error).message}`);
  }
}

const malformed = (why: string) => new Refusal('INVALID_ARGUMENT', `The body is not NDJSON: ${why}`, { reason: 'MALFORMED_JSON' });
