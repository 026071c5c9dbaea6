import { credentials, loadPackageDefinition, Metadata, type Client, type ClientUnaryCall, type ServiceError } from '@grpc/grpc-js';
import { createApi, type Api } from '../../../src/app.module.js';
import { loadProtos } from '../../../src/api/grpc/protos.js';
import { statusDetails } from '../../../src/api/grpc/status.js';
import { createLogger } from '../../../src/platform/telemetry/logger.js';
import { memoryCore, ownerKey, type MemoryCore } from './memory-core.js';

export type Headers = Readonly<Record<string, string>>;

/** What a call ended with, said alike for every wire. */
export interface Outcome {
  readonly code: string;
  readonly message?: string;
  readonly reason?: string;
  readonly fields?: readonly { readonly field: string; readonly description: string }[];
  readonly traceId?: string;
  readonly answer?: any;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status?: number;
}

/** The API over a core in memory, the lines it logs, and a client for each wire. */
export interface TestApi {
  readonly api: Api;
  readonly core: MemoryCore;
  readonly log: Record<string, unknown>[];
  rest(method: string, path: string, body?: unknown, headers?: Headers): Promise<Outcome>;
  grpc(rpc: string, message: object, headers?: Headers, options?: object, started?: (call: ClientUnaryCall) => void): Promise<Outcome>;
  graphql(query: string, variables?: object, headers?: Headers): Promise<Outcome>;
  close(): Promise<void>;
}

export async function testApi(settings: object = {}): Promise<TestApi> {
  const core = memoryCore();
  const log: Record<string, unknown>[] = [];
  const api = await createApi(core, settings, { logger: createLogger('info', { write: (line) => void log.push(JSON.parse(line) as never) }) });
  const client = grpcClient(api.addresses.grpc);
  return {
    api,
    core,
    log,
    rest: (method, path, body, headers) => callRest(api.addresses.rest, method, path, body, headers),
    grpc: (rpc, message, headers, options, started) => callGrpc(client, rpc, message, headers, options, started),
    graphql: (query, variables, headers) => callGraphql(api.addresses.graphql, { query, variables }, headers),
    async close() {
      client.close();
      await api.close();
    },
  };
}

const withKey = (headers: Headers = {}): Record<string, string> => ({ authorization: `Bearer ${ownerKey}`, ...headers });

/** A body that is text or bytes goes out as it is; anything else as JSON. */
export async function callRest(address: string, method: string, path: string, body?: unknown, headers?: Headers): Promise<Outcome> {
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(address + path, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...withKey(headers) },
    ...(body !== undefined && { body: raw ? (body as never) : JSON.stringify(body) }),
  });
  const answer: any = response.headers.get('content-type')?.includes('json') ? await response.json() : await response.text();
  const seen = { status: response.status, headers: Object.fromEntries(response.headers) };
  if (response.ok) return { code: 'OK', answer, ...seen };
  return { code: answer.code, message: answer.detail, reason: answer.reason, fields: answer.fields, traceId: answer.traceId, answer, ...seen };
}

export const grpcClient = (address: string, options: object = {}): Client => {
  const loaded = loadPackageDefinition(loadProtos(['tarl/projects/v1/projects.proto'])) as any;
  return new loaded.tarl.projects.v1.Projects(address, credentials.createInsecure(), options);
};

export function callGrpc(client: Client, rpc: string, message: object, headers?: Headers, options: object = {}, started?: (call: ClientUnaryCall) => void): Promise<Outcome> {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(withKey(headers))) metadata.set(name, value);
  return new Promise((resolve) => {
    let sent: Record<string, string> = {};
    const call = (client as any)[rpc](message, metadata, options, (error: ServiceError | null, answer: unknown) => {
      if (!error) return resolve({ code: 'OK', answer, headers: sent });
      const { reason, fields, traceId } = statusDetails(error);
      return resolve({ code: codeNames[error.code]!, message: error.details, reason, ...(fields.length > 0 && { fields: fields.map(({ field, description }) => ({ field, description })) }), traceId });
    });
    started?.(call);
    call.on('metadata', (received: Metadata) => void (sent = received.getMap() as Record<string, string>));
  });
}

const codeNames: Readonly<Record<number, string>> = {
  1: 'CANCELLED', 2: 'UNKNOWN', 3: 'INVALID_ARGUMENT', 4: 'DEADLINE_EXCEEDED', 5: 'NOT_FOUND', 6: 'ALREADY_EXISTS', 7: 'PERMISSION_DENIED',
  8: 'RESOURCE_EXHAUSTED', 9: 'FAILED_PRECONDITION', 10: 'ABORTED', 11: 'OUT_OF_RANGE', 12: 'UNIMPLEMENTED', 13: 'INTERNAL', 14: 'UNAVAILABLE', 16: 'UNAUTHENTICATED',
};

export async function callGraphql(address: string, body: unknown, headers?: Headers): Promise<Outcome> {
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...withKey(headers) },
    body: raw ? (body as never) : JSON.stringify(body),
  });
  const answer = (await response.json()) as any;
  const seen = { status: response.status, headers: Object.fromEntries(response.headers) };
  const [error] = answer.errors ?? [];
  if (!error) return { code: 'OK', answer: answer.data ?? answer, ...seen };
  const { code, reason, fields, traceId } = error.extensions ?? {};
  return { code: code ?? answer.code, message: error.message, reason, fields, traceId, answer, ...seen };
}
