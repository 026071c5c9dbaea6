import { formatPosition, parsePosition, type Position } from '../../../position.js';

/** An event as it stands in a log, byte for byte. */
export interface LoggedEvent {
  readonly position: Position;
  readonly stream: string;
  readonly revision: bigint;
  readonly id: string;
  readonly type: string;
  readonly isJson: boolean;
  readonly data: Buffer;
  readonly metadata: Buffer;
  /** When it was written: .NET ticks (100 ns) since the Unix epoch. */
  readonly createdTicks: bigint;
}

/** The revision on which a tombstone stands. */
export const TOMBSTONE = 2n ** 63n - 1n;

/** A line that is not one of an exported log. */
export class LineError extends Error {
  override readonly name = 'LineError';
}

/** One event as a line of JSON, without the line's end. Bytes that are not exactly what JSON.stringify would write are kept in base64. */
export function toLine(event: LoggedEvent): string {
  const { position, stream, revision, id, type, isJson, data, metadata, createdTicks } = event;
  const head = JSON.stringify({ position: formatPosition(position), stream, revision: String(revision), id, type, created: createdText(createdTicks), ...(!isJson && { json: false }) });
  return `${head.slice(0, -1)}${part('data', data, isJson)}${part('metadata', metadata, true)}}`;
}

/** Reads a line that `toLine` wrote; throws LineError on anything else. */
export function fromLine(line: string): LoggedEvent {
  let raw: Record<string, unknown>;
  try {
    raw = JSON.parse(line) as Record<string, unknown>;
  } catch (error) {
    throw new LineError((error as Error).message);
  }
  return {
    position: parsePosition(text(raw, 'position')),
    stream: text(raw, 'stream'),
    revision: BigInt(text(raw, 'revision')),
    id: text(raw, 'id'),
    type: text(raw, 'type'),
    isJson: raw['json'] !== false,
    data: bytes(raw, 'data'),
    metadata: bytes(raw, 'metadata'),
    createdTicks: ticksOf(text(raw, 'created')),
  };
}

function part(name: string, value: Buffer, mayBeJson: boolean): string {
  if (value.length === 0) return '';
  const json = mayBeJson ? value.toString('utf8') : '';
  return mayBeJson && isExactly(json) && Buffer.byteLength(json) === value.length ? `,"${name}":${json}` : `,"${name}Base64":"${value.toString('base64')}"`;
}

function isExactly(json: string): boolean {
  try {
    return JSON.stringify(JSON.parse(json)) === json;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

function text(raw: Record<string, unknown>, name: string): string {
  const value = raw[name];
  if (typeof value !== 'string') throw new LineError(`"${name}" is missing`);
  return value;
}

function bytes(raw: Record<string, unknown>, name: string): Buffer {
  const encoded = raw[`${name}Base64`];
  if (typeof encoded === 'string') return Buffer.from(encoded, 'base64');
  return name in raw ? Buffer.from(JSON.stringify(raw[name])) : Buffer.alloc(0);
}

const TICKS_A_SECOND = 10_000_000n;

/** ISO 8601 in UTC: milliseconds as usual, all seven digits where the server knows more. */
export function createdText(ticks: bigint): string {
  const iso = new Date(Number(ticks / 10_000n)).toISOString();
  return ticks % 10_000n === 0n ? iso : iso.replace(/\.\d+Z$/, `.${String(ticks % TICKS_A_SECOND).padStart(7, '0')}Z`);
}

function ticksOf(created: string): bigint {
  const ms = Date.parse(created);
  if (Number.isNaN(ms)) throw new LineError(`"${created}" is not a time`);
  const digits = /\.(\d{4,7})Z$/.exec(created)?.[1];
  return digits === undefined ? BigInt(ms) * 10_000n : BigInt(Math.floor(ms / 1000)) * TICKS_A_SECOND + BigInt(digits.padEnd(7, '0'));
}
