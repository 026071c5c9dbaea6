import { z } from 'zod';
import { parsePosition, PositionError } from '../../platform/eventstore/port.js';

/** A place in the log, as an earlier answer gave it. */
export const logPosition = z.string().max(64).refine(isPosition, 'takes the position of an earlier answer');

function isPosition(text: string): boolean {
  try {
    parsePosition(text);
    return true;
  } catch (error) {
    if (error instanceof PositionError) return false;
    throw error;
  }
}
