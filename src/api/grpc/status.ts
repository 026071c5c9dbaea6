import { Metadata, type ServiceError } from '@grpc/grpc-js';
import type protobuf from 'protobufjs';
import { failureOf, wireCodes, type Failure } from '../errors.js';
import { reflect } from './protos.js';

// Trailers share one HTTP/2 header block, which clients bound at 8 to 16 KiB; a request can be wrong in more places than fit.
const longestMessage = 1024;
const mostViolations = 20;

/** An error as the caller of an rpc gets it: status, sentence, and google.rpc.Status with the details in the trailer. The cause stays here. */
export function grpcError(error: unknown, traceId: string): ServiceError & { readonly cause: unknown } {
  const failure = failureOf(error);
  const code = wireCodes[failure.code].grpc;
  const message = failure.message.slice(0, longestMessage);
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', encodeStatus(code, message, failure, traceId));
  return { name: failure.code, message, code, details: message, metadata, cause: error };
}

let types: Record<'Status' | 'ErrorInfo' | 'BadRequest' | 'RequestInfo', protobuf.Type> | undefined;

function rpcTypes() {
  if (!types) {
    const root = reflect(['google/rpc/status.proto', 'google/rpc/error_details.proto']);
    const [Status, ErrorInfo, BadRequest, RequestInfo] = ['Status', 'ErrorInfo', 'BadRequest', 'RequestInfo'].map((name) => root.lookupType(`google.rpc.${name}`));
    types = { Status, ErrorInfo, BadRequest, RequestInfo } as NonNullable<typeof types>;
  }
  return types;
}

function encodeStatus(code: number, message: string, { reason, code: name, metadata, fields }: Failure, traceId: string): Buffer {
  const { Status, ErrorInfo, BadRequest, RequestInfo } = rpcTypes();
  const details = [
    packed(ErrorInfo, { reason: reason ?? name, domain: 'tarl', metadata }),
    ...(fields.length > 0 ? [packed(BadRequest, { fieldViolations: fields.slice(0, mostViolations).map(shortened) })] : []),
    packed(RequestInfo, { requestId: traceId }),
  ];
  return Buffer.from(Status.encode({ code, message, details }).finish());
}

const shortened = ({ field, description }: Failure['fields'][number]) => ({ field: field.slice(0, 128), description: description.slice(0, 256) });

const packed = (type: protobuf.Type, message: object) => ({ type_url: `type.googleapis.com${type.fullName.replace('.', '/')}`, value: type.encode(message).finish() });

/** What a client finds in the trailer of a failed call. */
export interface StatusDetails {
  readonly reason?: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly fields: readonly { readonly field: string; readonly description: string }[];
  readonly traceId?: string;
}

/** Reads the details that a failed call carries; empty ones when it carries none. */
export function statusDetails(error: Pick<ServiceError, 'metadata'>): StatusDetails {
  const [bytes] = error.metadata?.get('grpc-status-details-bin') ?? [];
  if (!Buffer.isBuffer(bytes)) return { metadata: {}, fields: [] };
  const { Status, ErrorInfo, BadRequest, RequestInfo } = rpcTypes();
  const { details } = Status.decode(bytes) as unknown as { details: { type_url: string; value: Uint8Array }[] };
  const unpacked = (type: protobuf.Type): any => {
    const packedDetail = details.find(({ type_url }) => type_url.endsWith(type.fullName.slice(1)));
    return packedDetail && type.decode(packedDetail.value);
  };
  const info = unpacked(ErrorInfo);
  return { reason: info?.reason, metadata: { ...info?.metadata }, fields: [...(unpacked(BadRequest)?.fieldViolations ?? [])], traceId: unpacked(RequestInfo)?.requestId };
}
