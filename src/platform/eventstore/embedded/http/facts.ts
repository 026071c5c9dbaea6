import { statSync } from 'node:fs';
import { SERVER_VERSION } from '../services/server-features.js';
import type { EventStore } from '../store/event-store.js';
import type { Measures } from './measures.js';

/** What is so of a node right now. */
export function gaugesOf(store: EventStore, { startedAt }: Measures): { name: string; help: string; value: number }[] {
  return [
    { name: 'log_end_position', help: 'The position behind the last event of the log.', value: store.log.end },
    { name: 'data_file_bytes', help: 'Size of the data file.', value: statSync(`${store.environment.dir}/events.mdb`).size },
    { name: 'resident_memory_bytes', help: 'Memory of the process.', value: process.memoryUsage.rss() },
    { name: 'start_time_seconds', help: 'When the node started, since the Unix epoch.', value: startedAt / 1000 },
  ];
}

/** What the real server says of itself on the page of the same name. */
export const infoOf = (asksForLogin: boolean): object => ({
  dbVersion: SERVER_VERSION,
  state: 'leader',
  features: { projections: true, userManagement: asksForLogin, atomPub: false },
  authentication: { type: asksForLogin ? 'internal' : 'insecure', properties: {} },
});
