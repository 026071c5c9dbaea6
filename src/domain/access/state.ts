import { defineDecider } from '../kit/index.js';
import { accessEvents } from './events.js';

/** The keys of the owner, key id → hash of the secret. */
export type OwnerKeys = ReadonlyMap<string, string>;

export const ownerStream = 'access-owner';

export const ownerKeys = defineDecider({
  category: 'access',
  events: accessEvents,
  initialState: new Map() as OwnerKeys,
  on: {
    OwnerKeyIssued: (keys, { keyId, secretHash }): OwnerKeys => new Map(keys).set(keyId, secretHash),
  },
});
