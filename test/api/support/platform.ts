import { credentials, loadPackageDefinition, type Client } from '@grpc/grpc-js';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadProtos } from '../../../src/api/grpc/protos.js';
import { startPlatform } from '../../../src/main.js';
import { createLogger } from '../../../src/platform/telemetry/logger.js';
import { readConfig } from '../../../src/platform/config/index.js';
import { testEventStore } from '../../support/eventstore.js';
import { testDatabase } from '../../support/postgres.js';
import { callGraphql, callGrpc, callRest, type Headers, type Outcome } from './clients.js';
import { ownerKey } from './memory-core.js';

/** Nothing is put into the log by the clock: tests read all of it. */
const newYear = '0 0 1 1 *';

/** A whole platform on an empty log and an empty database, with a client for each wire. */
export interface TestPlatform {
  readonly addresses: { readonly rest: string; readonly grpc: string; readonly graphql: string };
  readonly features: Client;
  readonly trainingSets: Client;
  /** Where the rows of saved training sets are. */
  readonly trainingSetsFolder: string;
  readonly eventStoreUrl: string;
  readonly postgresUrl: string;
  /** The lines it logs. */
  readonly log: readonly Record<string, unknown>[];
  rest(path: string, body: unknown, headers?: Headers): Promise<Outcome>;
  grpc(rpc: string, message: object, headers?: Headers): Promise<Outcome>;
  graphql(query: string, variables?: object, headers?: Headers): Promise<Outcome>;
  close(): Promise<void>;
}

export async function testPlatform(settings: Record<string, string> = {}): Promise<TestPlatform> {
  const [store, database] = await Promise.all([testEventStore(), testDatabase()]);
  const trainingSets = await mkdtemp(join(tmpdir(), 'tarl-training-sets-'));
  const config = readConfig({ TARL_HTTP_PORT: '0', TARL_GRPC_PORT: '0', TARL_GRAPHQL_PORT: '0', TARL_MIN_POSITION_WAIT_MS: '60000', TARL_METRICS_CRON: newYear, TARL_TRAINING_SETS_DIR: trainingSets, ...settings });
  const log: Record<string, unknown>[] = [];
  const platform = await startPlatform(config, { eventstoreUrl: store.url, postgresUrl: database.url, localKey: ownerKey }, createLogger('info', { write: (line) => void log.push(JSON.parse(line) as never) }));
  const addresses = platform.addresses as Required<typeof platform.addresses>;
  const loaded = loadPackageDefinition(loadProtos(['tarl/features/v1/features.proto', 'tarl/features/v1/training_sets.proto'])) as any;
  const features: Client = new loaded.tarl.features.v1.Features(addresses.grpc, credentials.createInsecure());
  const trainingSetsClient: Client = new loaded.tarl.features.v1.TrainingSets(addresses.grpc, credentials.createInsecure());
  return {
    addresses,
    eventStoreUrl: store.url,
    postgresUrl: database.url,
    log,
    features,
    trainingSets: trainingSetsClient,
    trainingSetsFolder: trainingSets,
    rest: (path, body, headers) => callRest(addresses.rest, 'POST', path, body, headers),
    grpc: (rpc, message, headers) => callGrpc(features, rpc, message, headers),
    graphql: (query, variables, headers) => callGraphql(addresses.graphql, { query, variables }, headers),
    async close() {
      features.close();
      trainingSetsClient.close();
      await platform.close();
      await store.close();
      await database.drop();
      await rm(trainingSets, { recursive: true });
    },
  };
}
