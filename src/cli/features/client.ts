import type { ServiceClient } from '../grpc.js';
import type { LocalRun } from '../local-run.js';

/** The rpcs of the feature store. Loaded only when asked for: most commands need no gRPC. */
export async function featuresClient(connection: LocalRun): Promise<ServiceClient> {
  const { ServiceClient } = await import('../grpc.js');
  return new ServiceClient(connection, 'tarl/features/v1/features.proto', 'tarl.features.v1.Features');
}
