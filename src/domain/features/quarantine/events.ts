import { z } from 'zod';
import { defineEvent, resourceName, type EventOf } from '../../kit/index.js';

/** What is decided about refused rows. Their values are never here: what was no fact is not kept for ever. */
export const quarantineEvents = [defineEvent('QuarantinedRowsDiscarded', z.object({ project: resourceName, ids: z.array(z.uuid()).min(1), reason: z.string() }))] as const;
export type QuarantineEvent = EventOf<(typeof quarantineEvents)[number]>;
