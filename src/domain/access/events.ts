import { z } from 'zod';
import { defineEvent, type EventOf } from '../kit/index.js';

export const accessEvents = [
  /** The key that may do everything. Only the hash of its secret is ever written. */
  defineEvent('OwnerKeyIssued', z.object({ keyId: z.string(), secretHash: z.string() })),
] as const;
export type AccessEvent = EventOf<(typeof accessEvents)[number]>;
