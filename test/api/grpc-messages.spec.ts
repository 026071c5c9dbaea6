import { expect, test } from '@jest/globals';
import { Readable } from 'node:stream';
import { messagesOf } from '../../src/api/grpc/messages.js';
import { grpcError } from '../../src/api/grpc/status.js';
import { Refusal } from '../../src/domain/kit/index.js';

const callOf = (messages: Iterable<unknown>) => Object.assign(Readable.from(messages), { cancelled: false }) as any;

async function read(call: any): Promise<unknown[]> {
  const messages: unknown[] = [];
  for await (const message of messagesOf(call)) messages.push(message);
  return messages;
}

test('a call that is refused in the middle of its messages can still be answered', async () => {
  const call = callOf([1, 2, 3]);
  for await (const message of messagesOf(call)) if (message === 2) break;
  expect(call.destroyed).toBe(false);
});

test('a caller who goes away is no fault of ours', async () => {
  const call = callOf([1]);
  const reading = read(call);
  call.cancelled = true;
  call.destroy(new Error('Premature close'));
  await expect(reading).rejects.toMatchObject({ code: 'CANCELLED' });
});

test('what the guard refused is the refusal that the handler meets', async () => {
  const refusal = new Refusal('INVALID_ARGUMENT', 'No message');
  const call = callOf([1]);
  const reading = read(call);
  call.destroy(grpcError(refusal, 'trace') as never);
  await expect(reading).rejects.toBe(refusal);
});
