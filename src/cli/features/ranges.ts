import { formatTimeUs, parseTimeUs } from '../../domain/features/times.js';
import { misused } from '../failures.js';

/** Two moments as the API takes them. */
export interface Range {
  readonly start: string;
  readonly end: string;
}

/** How a range is written, for the help. */
export const rangeHelp = 'event times: 2001-01..2001-03 up to the beginning of March, 2001-01 for that month, 2001-01-05 for that day';

/** Reads `2001-01..2001-02`: years, months, days or moments, UTC where they have no zone; the end is left out. One of them alone stands for itself. */
export function readRange(written: string): Range {
  const [from = '', to, ...more] = written.split('..');
  const [start, end] = [startOf(from), to === undefined ? endOf(from) : startOf(to)];
  if (more.length > 0 || Number.isNaN(start) || Number.isNaN(end)) throw misused(`"${written}" is not a range such as 2001-01..2001-02.`);
  return { start: formatTimeUs(start), end: formatTimeUs(end) };
}

const startOf = (text: string): number => parseTimeUs(/^\d{4}$/.test(text) ? `${text}-01-01` : /^\d{4}-\d\d$/.test(text) ? `${text}-01` : text);

/** Where a year, a month or a day ends; a moment has no end. */
function endOf(text: string): number {
  const start = new Date(startOf(text) / 1000);
  const [year, month, day] = text.split('-').map(Number) as [number, number?, number?];
  if (Number.isNaN(start.getTime()) || text.length > 10) return NaN;
  if (month === undefined) return Date.UTC(year + 1, 0) * 1000;
  return (day === undefined ? Date.UTC(year, month) : start.getTime() + 86_400_000) * 1000;
}
