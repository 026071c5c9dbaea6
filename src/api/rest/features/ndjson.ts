import { isUtf8 } from 'node:buffer';
import { Refusal } from '../../../domain/kit/index.js';

/** A body of one JSON value a line. */
export class NdjsonBody {
  constructor(readonly values: readonly unknown[]) {}
}

/** Reads one JSON value a line; empty lines count for nothing. */
export const readNdjson = (body: Buffer): NdjsonBody => new NdjsonBody(linesOf(body));

function linesOf(body: Buffer): unknown[] {
  if (!isUtf8(body)) throw malformed('it is not UTF-8');
  return body
    .toString()
    .split('\n')
    .flatMap((line, index) => (line.trim() === '' ? [] : [valueOf(line, index)]));
}

function valueOf(line: string, index: number): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw malformed(`line ${index + 1}: ${(error as Error).message}`);
  }
}

const malformed = (why: string) => new Refusal('INVALID_ARGUMENT', `The body is not NDJSON: ${why}`, { reason: 'MALFORMED_JSON' });
