import { z } from 'zod';

const fields = [
  { name: 'minute', from: 0, to: 59 },
  { name: 'hour', from: 0, to: 23 },
  { name: 'day of the month', from: 1, to: 31 },
  { name: 'month', from: 1, to: 12 },
  { name: 'day of the week', from: 0, to: 7 },
];

/** A cron line of five fields: each of them *, numbers, ranges and steps, separated by commas. */
export const cron = z
  .string()
  .max(256)
  .superRefine((line, context) => {
    const parts = line.trim().split(/\s+/);
    if (parts.length !== fields.length) return context.addIssue({ code: 'custom', message: 'takes five fields, such as 0 3 * * *' });
    fields.forEach(({ name, from, to }, at) => {
      if (!parts[at]!.split(',').every((part) => fits(part, from, to))) context.addIssue({ code: 'custom', message: `takes ${from} to ${to} as the ${name}, not ${parts[at]}` });
    });
    if (!someDay(parts[2]!, parts[3]!)) context.addIssue({ code: 'custom', message: 'names a day that no month has' });
  });

/** A time zone of the IANA list. */
export const timeZone = z.string().min(1).max(64).refine(isTimeZone, 'takes a time zone such as Europe/Vienna');

/** `*`, `5`, `1-5`, with a step behind it or not. */
function fits(part: string, from: number, to: number): boolean {
  const [, first, last, step] = /^(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:\/(\d{1,2}))?$/.exec(part) ?? ['', 'x'];
  const [low, high] = [Number(first ?? from), Number(last ?? first ?? to)];
  return low >= from && high <= to && low <= high && (step === undefined || Number(step) > 0);
}

/** The thirty-first of April never comes. */
function someDay(days: string, months: string): boolean {
  const longest = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  const earliest = Math.min(...days.split(',').map((part) => (part.startsWith('*') ? 1 : parseInt(part, 10))));
  return longest.some((length, at) => earliest <= length && months.split(',').some((part) => part.startsWith('*') || within(part, at + 1)));
}

function within(part: string, month: number): boolean {
  const [, first = '0', last, step] = /^(\d+)(?:-(\d+))?(?:\/(\d+))?$/.exec(part) ?? [];
  const end = Number(last ?? (step === undefined ? first : 12));
  return month >= Number(first) && month <= end && (month - Number(first)) % Number(step ?? 1) === 0;
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
