import { z } from 'zod';
import { eventTimeFault, formatTimeUs, isEventTime, parseTimeUs } from '../times.js';

/** A moment of event time, with its zone. */
export const moment = z.iso.datetime({ offset: true, error: eventTimeFault }).refine((text) => isEventTime(parseTimeUs(text)), eventTimeFault);

/** A stretch of event times as a caller gives it: the start belongs to it, the end does not. */
export const timeRange = z
  .object({ start: moment, end: moment })
  .refine(({ start, end }) => parseTimeUs(start) < parseTimeUs(end), { path: ['end'], error: 'is not after the start' })
  .meta({ id: 'TimeRange' });
export type TimeRange = z.output<typeof timeRange>;

/** The same in microseconds since the Unix epoch. */
export interface Window {
  readonly startUs: number;
  readonly endUs: number;
}

export const windowOf = ({ start, end }: TimeRange): Window => ({ startUs: parseTimeUs(start), endUs: parseTimeUs(end) });

/** The same as text, always with its zone. */
export const rangeText = (range: TimeRange): TimeRange => ({ start: formatTimeUs(parseTimeUs(range.start)), end: formatTimeUs(parseTimeUs(range.end)) });

/** Which windows a moment belongs to. */
export interface Windows {
  readonly list: readonly Window[];
  /** Gives the number of each window that holds the moment to `take`. */
  each(timeUs: number, take: (window: number) => void): void;
}

/** A few windows, which may lie over each other. */
export const someWindows = (list: readonly Window[]): Windows => ({
  list,
  each: (timeUs, take) => list.forEach(({ startUs, endUs }, at) => timeUs >= startUs && timeUs < endUs && take(at)),
});

/** Windows of the same length, one after the other; the last ends with the whole. */
export function seriesOf({ startUs, endUs }: Window, everyUs: number): Windows {
  const list = Array.from({ length: Math.ceil((endUs - startUs) / everyUs) }, (_, at) => ({ startUs: startUs + at * everyUs, endUs: Math.min(endUs, startUs + (at + 1) * everyUs) }));
  return { list, each: (timeUs, take) => void (timeUs >= startUs && timeUs < endUs && take(Math.floor((timeUs - startUs) / everyUs))) };
}
