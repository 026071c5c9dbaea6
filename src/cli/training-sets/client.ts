import type { ServiceClient } from '../grpc.js';
import type { LocalRun } from '../local-run.js';

/** The rpcs of saved training sets. Loaded only when asked for: most commands need no gRPC. */
export async function trainingSetsClient(connection: LocalRun): Promise<ServiceClient> {
  const { ServiceClient } = await import('../grpc.js');
  return new ServiceClient(connection, 'tarl/features/v1/training_sets.proto', 'tarl.features.v1.TrainingSets');
}
