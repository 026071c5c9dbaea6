import { EventStoreDb, type EventStoreLog } from './eventstoredb.js';
import type { EventStore } from './port.js';

export * from './errors.js';
export * from './port.js';
export type { EventStoreLog } from './eventstoredb.js';

/**
 * The event store at an `esdb://` or `esdb+discover://` address, with user, password and TLS as the address says.
 * Connects when first used. `log` hears of every failure that the port healed by itself.
 */
export function connect(url: string, options: { log?: EventStoreLog } = {}): EventStore {
  return new EventStoreDb(url, options.log ?? (() => undefined));
}
