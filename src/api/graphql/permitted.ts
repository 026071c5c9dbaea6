import type { DocumentNode } from 'graphql';
import { Refusal } from '../../domain/kit/index.js';
import type { GraphqlContext } from './context.js';
import { weigh } from './limits.js';

/** Refuses a document that asks for the schema from a caller who may not see it. */
export function refuseIntrospection(document: DocumentNode, { wire: { caller } }: GraphqlContext): void {
  if (!weigh(document).introspects || caller.may('graphql.introspect')) return;
  throw new Refusal('PERMISSION_DENIED', 'This key may not look at the schema', { reason: 'MISSING_PERMISSION', metadata: { permission: 'graphql.introspect' } });
}

/** Refuses several commands under one idempotency key or etag, which stand for one: the first would take effect and the next be refused. */
export function refuseSharedHeaders(document: DocumentNode, { wire }: GraphqlContext): void {
  if (weigh(document).commands <= 1 || (wire.idempotencyKey === undefined && wire.ifMatch === undefined)) return;
  throw new Refusal('INVALID_ARGUMENT', 'Idempotency-Key and If-Match belong to one mutation: send the others in requests of their own', { reason: 'SEVERAL_MUTATIONS' });
}
