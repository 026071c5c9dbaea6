import { StreamRules } from './access/stream-rules.js';
import { Users } from './access/users.js';
import { gaugesOf, infoOf } from './http/facts.js';
import { Measures, type SlowRequest } from './http/measures.js';
import { createPages } from './http/pages.js';
import { startListening, type Listener, type TlsIdentity } from './listener.js';
import { createNodeServer } from './node-server.js';
import { Groups } from './groups/groups.js';
import { Scavenges } from './operations/scavenges.js';
import { Projections } from './projections/projections.js';
import { EventStore } from './store/event-store.js';

export { FolderProblem } from './store/folder.js';
export { PortInUse } from './listener.js';

/** How an embedded event store is started. */
export interface EventStoreOptions {
  /** The folder of its data; without one it is temporary and goes when the store is closed. */
  readonly dir?: string | undefined;
  /** 0, the default, takes a free port. */
  readonly port?: number;
  /** The address to listen on; 127.0.0.1 by default. */
  readonly host?: string;
  /** Bytes of all events of one append; 1 MiB by default. */
  readonly maxAppendBytes?: number;
  /** Whether the system projections write their links; they do by default. */
  readonly projections?: boolean;
  /** Serves over TLS, to users who log in; without it everybody may do everything, in the clear. */
  readonly tls?: TlsIdentity | undefined;
  /** Requests that take as long are slow; 500 ms by default. */
  readonly slowMs?: number;
  /** Hears of slow requests; by default nobody does. */
  readonly onSlow?: (slow: SlowRequest) => void;
}

/** A running event store. */
export interface RunningEventStore {
  readonly port: number;
  /** What `EventStoreDBClient.connectionString` takes. */
  readonly connectionString: string;
  /** Ends open streams with CANCELLED, finishes what was begun and closes the data folder. */
  close(): Promise<void>;
}

const MAX_APPEND_BYTES = 1024 * 1024;
const SLOW_MS = 500;

/** Tells a slow request as a line of JSON on standard error. */
export const logSlow = (slow: SlowRequest): void => console.error(JSON.stringify({ level: 'warn', msg: 'a slow request', ...slow }));

/** Starts a single-node event store that speaks EventStoreDB's protocol. Throws FolderProblem or PortInUse with a sentence for the operator. */
export async function startEventStore(options: EventStoreOptions = {}): Promise<RunningEventStore> {
  const host = options.host ?? '127.0.0.1';
  const store = await EventStore.open(options.dir);
  const projections = new Projections(store);
  const groups = new Groups(store);
  const scavenges = new Scavenges(store);
  const measures = new Measures(options.slowMs ?? SLOW_MS, options.onSlow ?? (() => undefined));
  let listener: Listener;
  try {
    const access = options.tls && { users: await Users.of(store), rules: new StreamRules(store) };
    const grpc = createNodeServer({ store, projections, groups, scavenges }, { limits: { maxAppendBytes: options.maxAppendBytes ?? MAX_APPEND_BYTES }, measures, access });
    const pages = createPages({ metrics: () => measures.text(gaugesOf(store, measures)), info: () => infoOf(access !== undefined) });
    listener = await startListening(host, options.port ?? 0, { grpc, pages, measures }, options.tls);
  } catch (error) {
    await store.close();
    throw error;
  }
  if (options.projections ?? true) projections.start();
  const { port } = listener;
  const stopAll = async () => {
    await listener.close();
    groups.stop();
    await projections.stop();
    await scavenges.end();
    await store.close();
  };
  let closing: Promise<void> | undefined;
  return {
    port,
    connectionString: `esdb://${host}:${port}?tls=${options.tls !== undefined}`,
    close: () => (closing ??= stopAll()),
  };
}
