import type { Decide } from '../kit/index.js';
import type { AccessEvent } from './events.js';
import type { OwnerKeys } from './state.js';

/** The first start issues one key; every later start finds it there and issues none. */
export const issueFirstOwnerKey: Decide<{ keyId: string; secretHash: string }, OwnerKeys, AccessEvent> = (input, keys) =>
  keys.size > 0 ? [] : [{ type: 'OwnerKeyIssued', data: input }];
