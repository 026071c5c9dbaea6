import { formatPosition } from '../platform/eventstore/port.js';
import { version } from '../platform/version.js';
import type { Core, ViewStatus } from './core.js';

/** What runs, in which versions, and how far each view has come. */
export interface PlatformStatus {
  readonly version: string;
  readonly node: string;
  readonly postgres: string;
  /** The position of the log's last event. */
  readonly endOfLog: string;
  readonly views: readonly ViewStatus[];
}

/** Asks the stores and the projection engine; fails as they do. */
export async function platformStatus({ eventStore, pool, projections }: Pick<Core, 'eventStore' | 'pool' | 'projections'>): Promise<PlatformStatus> {
  const [end, postgres, views] = await Promise.all([eventStore.endOfLog(), pool.query<{ version: string }>(`select current_setting('server_version') as version`), projections.status()]);
  return { version, node: process.version.slice(1), postgres: postgres.rows[0]!.version, endOfLog: formatPosition(end), views };
}
