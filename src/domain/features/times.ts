import { earliestEventTimeUs, earliestTimeUs, latestEventTimeUs, latestTimeUs } from './values.js';

const shape = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?([Zz]|[+-]\d\d(?::?\d\d)?)?)?$/;

/** What a time that cannot be used is told. */
export const timeFault = 'takes a time such as 2026-01-31T12:00:00Z, in the years 1700 to 2249';
export const eventTimeFault = 'takes a time such as 2026-01-31T12:00:00Z, in the years 1900 to 2184';

/** Microseconds since the Unix epoch of a time in ISO 8601; one without a zone is UTC, finer digits are cut off. NaN for anything else. */
export function parseTimeUs(text: string): number {
  const match = shape.exec(text);
  if (!match) return NaN;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((digits) => Number(digits ?? 0)) as [number, number, number, number, number, number];
  // Date.UTC rolls over what does not exist, and takes the years 0 to 99 for 1900 to 1999.
  const date = new Date(Date.UTC(year, month - 1, day));
  if (date.getUTCFullYear() !== year || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day || hour > 23 || minute > 59 || second > 59) return NaN;
  const seconds = date.getTime() / 1000 + hour * 3600 + minute * 60 + second;
  const micros = Number((match[7] ?? '').padEnd(6, '0').slice(0, 6));
  return inRange((seconds - offsetSeconds(match[8])) * 1e6 + micros);
}

/** Whether rows can have this event time. */
export const isEventTime = (timeUs: number): boolean => Number.isInteger(timeUs) && timeUs >= earliestEventTimeUs && timeUs <= latestEventTimeUs;

/** The time if it is one that values can carry, else NaN. */
export const inRange = (timeUs: number): number => (Number.isInteger(timeUs) && timeUs >= earliestTimeUs && timeUs <= latestTimeUs ? timeUs : NaN);

/** The time in ISO 8601, in UTC; microseconds only where there are some. */
export function formatTimeUs(timeUs: number): string {
  const ms = Math.floor(timeUs / 1000);
  const text = new Date(ms).toISOString();
  const micros = timeUs - ms * 1000;
  return micros === 0 ? text : `${text.slice(0, -1)}${String(micros).padStart(3, '0')}Z`;
}

function offsetSeconds(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z' || zone === 'z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3).replace(':', '') || 0)];
  if (hours > 23 || minutes > 59) return NaN;
  return (zone[0] === '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
}
