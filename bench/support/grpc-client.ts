import { credentials, loadPackageDefinition, Metadata, type Client } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

type Calls = Client & Record<string, (...args: unknown[]) => any>;

/** A client as a user would generate it, with the key on every call. */
export function grpcClient(proto: string, service: string, { addresses, key }: { addresses: { grpc: string }; key: string }): Calls {
  const loaded = loadPackageDefinition(loadSync(proto, { includeDirs: ['proto'], longs: Number, enums: String, defaults: true }));
  const Service = service.split('.').reduce<any>((space, name) => space[name], loaded);
  const client = new Service(addresses.grpc, credentials.createInsecure(), { 'grpc.max_receive_message_length': -1 });
  return Object.assign(client, { metadata: keyed(key) });
}

export function keyed(key: string): Metadata {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${key}`);
  return metadata;
}

export const callUnary = <Answer = any>(client: Calls, method: string, request: object): Promise<Answer> =>
  new Promise((resolve, reject) => {
    client[method]!(request, (client as unknown as { metadata: Metadata }).metadata, (error: Error | null, answer: Answer) => (error ? reject(error) : resolve(answer)));
  });
