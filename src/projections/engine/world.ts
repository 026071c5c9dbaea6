import type { EventStore } from '../../platform/eventstore/port.js';
import type { Connections } from './connections.js';
import type { ParkedCounts } from './parking/counts.js';
import type { Rates } from './rates.js';
import type { SlowViews } from './slow-views.js';
import type { Reached } from './reached.js';
import type { RebuildLimits, Surroundings } from './rebuild-pace.js';

/** Where the engine tells what happens, in the manner of pino. */
export interface EngineLog {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

/** What every part of the engine works with. */
export interface World {
  readonly eventStore: EventStore;
  readonly pool: Connections;
  readonly log: EngineLog;
  readonly reached: Reached;
  readonly rates: Rates;
  readonly parked: ParkedCounts;
  readonly slowViews: SlowViews;
  /** Runs work during which this process may say nothing for so long; absent where it holds no locks that it could lose. */
  readonly whileSilent?: <Result>(longest_ms: number, work: () => Promise<Result>) => Promise<Result>;
  /** What rebuilds may take of the machine. */
  readonly limits: RebuildLimits & { readonly traffic: Surroundings };
}
