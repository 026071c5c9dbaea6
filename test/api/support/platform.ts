import { credentials, loadPackageDefinition, type Client } from '@grpc/grpc-js';
import { loadProtos } from '../../../src/api/grpc/protos.js';
import { startPlatform } from '../../../src/main.js';
import { createLogger } from '../../../src/platform/telemetry/logger.js';
import { readConfig } from '../../../src/platform/config/index.js';
import { testEventStore } from '../../support/eventstore.js';
import { testDatabase } from '../../support/postgres.js';
import { callGraphql, callGrpc, callRest, type Headers, type Outcome } from './clients.js';
import { ownerKey } from './memory-core.js';

/** A whole platform on an empty log and an empty database, with a client for each wire. */
export interface TestPlatform {
  readonly addresses: { readonly rest: string; readonly grpc: string; readonly graphql: string };
  readonly features: Client;
  /** The lines it logs. */
  readonly log: readonly Record<string, unknown>[];
  rest(path: string, body: unknown, headers?: Headers): Promise<Outcome>;
  grpc(rpc: string, message: object, headers?: Headers): Promise<Outcome>;
  graphql(query: string, variables?: object, headers?: Headers): Promise<Outcome>;
  close(): Promise<void>;
}

export async function testPlatform(): Promise<TestPlatform> {
  const [store, database] = await Promise.all([testEventStore(), testDatabase()]);
  const config = readConfig({ TARL_HTTP_PORT: '0', TARL_GRPC_PORT: '0', TARL_GRAPHQL_PORT: '0' });
  const log: Record<string, unknown>[] = [];
  const platform = await startPlatform(config, { eventstoreUrl: store.url, postgresUrl: database.url, localKey: ownerKey }, createLogger('info', { write: (line) => void log.push(JSON.parse(line) as never) }));
  const { addresses } = platform;
  const loaded = loadPackageDefinition(loadProtos(['tarl/features/v1/features.proto'])) as any;
  const features: Client = new loaded.tarl.features.v1.Features(addresses.grpc, credentials.createInsecure());
  return {
    addresses,
    log,
    features,
    rest: (path, body, headers) => callRest(addresses.rest, 'POST', path, body, headers),
    grpc: (rpc, message, headers) => callGrpc(features, rpc, message, headers),
    graphql: (query, variables, headers) => callGraphql(addresses.graphql, { query, variables }, headers),
    async close() {
      features.close();
      await platform.close();
      await store.close();
      await database.drop();
    },
  };
}
