import { z } from 'zod';
import { defineEvent, type EventOf } from '../kit/index.js';

export const projectionEvents = [
  /** Somebody decided that a view goes on without an event that it cannot take. */
  defineEvent(
    'ParkedEventSkipped',
    z.object({
      view: z.string(),
      key: z.string(),
      event: z.object({ id: z.uuid(), type: z.string(), stream: z.string(), position: z.string() }),
      error: z.string(),
      reason: z.string(),
    }),
  ),
] as const;
export type ProjectionEvent = EventOf<(typeof projectionEvents)[number]>;
