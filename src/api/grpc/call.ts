import { Metadata } from '@grpc/grpc-js';
import type { CommandReply } from '../../commands/kit/command.js';
import { contextFrom } from '../context.js';
import type { WireContext } from '../operations.js';
import { asOfText, parkedKeysText, visitorOf } from '../visitors.js';

/** What every call of grpc-js has, unary or streaming. */
export interface AnyCall {
  readonly metadata: Metadata;
  getDeadline(): Date | number;
}

/** The context of a guarded call: caller, keys, minimum position, trace, deadline, and a signal that fires when the client cancels. */
export function grpcContext(call: AnyCall): WireContext {
  const deadline = Number(call.getDeadline());
  return contextFrom(visitorOf(call.metadata), Number.isFinite(deadline) ? deadline : undefined);
}

/** The position and the etag of an answer also stand in its metadata, where a client finds them without knowing the answer; so do parked keys and the moment asked for. */
export function sendVersion(call: { readonly metadata: Metadata; sendMetadata(metadata: Metadata): void }, { position, etag }: Partial<CommandReply>): void {
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
