import { expect, test } from '@jest/globals';
import { contextFrom } from '../../../src/api/context.js';
import { Visitor } from '../../../src/api/visitors.js';
import { withTraceparent } from '../../../src/commands/kit/traced.js';

const span = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const headers: Record<string, string> = { 'idempotency-key': 'once', 'if-match': '"5"', 'tarl-min-position': '7', 'tarl-correlation-id': 'c1' };

test('a request that is traced is asked and answered as one that is not', () => {
  const visitor = new Visitor((name) => headers[name], { actor: 'key:1', may: () => true });
  const context = contextFrom(visitor, 1_000);
  const under = withTraceparent(context, span);
  expect(under.traceparent).toBe(span);
  const { caller, idempotencyKey, ifMatch, minPosition, correlationId, deadline, signal } = under;
  expect({ caller, idempotencyKey, ifMatch, minPosition, correlationId, deadline, signal }).toEqual({ caller: visitor.caller, idempotencyKey: 'once', ifMatch: ['5'], minPosition: '7', correlationId: 'c1', deadline: 1_000, signal: context.signal });
  under.noteParked?.(new Map([['projects', 2]]));
  under.noteAsOf?.('42');
  expect([visitor.parkedKeys, visitor.asOf]).toEqual([new Map([['projects', 2]]), new Set(['42'])]);
});
