import { formatTimeUs, parseTimeUs } from '../../domain/features/times.js';
import { misused } from '../failures.js';

/** A time as protobuf has it. */
export interface Timestamp {
  readonly seconds: number | string;
  readonly nanos: number;
}

/** `tarl.features.v1.KnownAt`. */
export interface KnownAtMessage {
  readonly time?: Timestamp;
  readonly position?: string;
  readonly rowTime?: boolean;
}

/** How `--known-at` is written, for the help. */
export const knownAtHelp = 'only what was known then: a time, a position of the log, or "row" for the time of each row';

/** Reads `--known-at`. */
export function readKnownAt(written: string): KnownAtMessage {
  if (written === 'row') return { rowTime: true };
  if (/^\d+(\/\d+)?$/.test(written)) return { position: written };
  return { time: readTime(written) };
}

/** Reads a time in ISO 8601; without a zone it is UTC. */
export function readTime(written: string): Timestamp {
  const us = parseTimeUs(written);
  if (Number.isNaN(us)) throw misused(`"${written}" is not a time such as 2026-01-31T12:00:00Z.`);
  const seconds = Math.floor(us / 1_000_000);
  return { seconds, nanos: (us - seconds * 1_000_000) * 1000 };
}

/** How an answer is asked for again: the words for `--known-at` that give the same. */
export const knownAtText = ({ position, time }: KnownAtMessage): string =>
  position || (time ? formatTimeUs(Number(time.seconds) * 1_000_000 + Math.floor(time.nanos / 1000)) : '');
