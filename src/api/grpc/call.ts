import { Metadata } from '@grpc/grpc-js';
import type { CommandReply } from '../../commands/kit/command.js';
import { contextFrom } from '../context.js';
import type { WireContext } from '../operations.js';
import { asOfText, parkedKeysText, visitorOf } from '../visitors.js';

/** What every call has, unary or streaming, of grpc-js or answered directly. */
export interface AnyCall {
  /** What the visitor is remembered with. */
  readonly metadata: object;
  getDeadline(): Date | number;
}

/** What handlers ask of a unary call. */
export interface UnaryCall<Request> extends AnyCall {
  readonly request: Request;
  sendMetadata(metadata: Metadata): void;
}

/** The context of a guarded call: caller, keys, minimum position, trace, deadline, and a signal that fires when the client cancels. */
export function grpcContext(call: AnyCall): WireContext {
  const deadline = Number(call.getDeadline());
  return contextFrom(visitorOf(call.metadata), Number.isFinite(deadline) ? deadline : undefined);
}

/** The position and the etag of an answer also stand in its metadata, where a client finds them without knowing the answer; so do parked keys and the moment asked for. */
export function sendVersion(call: { readonly metadata: object; sendMetadata(metadata: Metadata): void }, { position, etag }: Partial<CommandReply>): void {
  const visitor = visitorOf(call.metadata);
  const parkedKeys = parkedKeysText(visitor);
  const asOf = asOfText(visitor);
  if (typeof position !== 'string' && typeof etag !== 'string' && parkedKeys === undefined && asOf === undefined) return;
  const metadata = new Metadata();
  if (typeof position === 'string') metadata.set('tarl-position', position);
  if (typeof etag === 'string') metadata.set('etag', etag);
  if (parkedKeys !== undefined) metadata.set('tarl-parked-keys', parkedKeys);
  if (asOf !== undefined) metadata.set('tarl-as-of', asOf);
  call.sendMetadata(metadata);
}
