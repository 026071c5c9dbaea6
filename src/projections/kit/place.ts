import { z } from 'zod';
import { parsePosition, PositionError, type Position } from '../../platform/eventstore/port.js';

/** What a place in the log may be written as, for refusals. */
export const placeWords = 'takes a position of the log, or a time such as 2026-01-31T12:00:00Z';

const time = z.iso.datetime({ offset: true });

/** A place in the log as callers write it: a position, or a time with its zone, which may leave out the seconds. Undefined for anything else. */
export function placeOf(text: string): Position | Date | undefined {
  try {
    return parsePosition(text);
  } catch (error) {
    if (!(error instanceof PositionError)) throw error;
  }
  const whole = time.safeParse(text.replace(/(T\d\d:\d\d)(?=Z|[+-])/, '$1:00'));
  return whole.success ? new Date(whole.data) : undefined;
}
