import { expect, jest, test } from '@jest/globals';
import { EventEmitter } from 'node:events';
import { Outlet } from '../../../../../src/platform/eventstore/embedded/reading/outlet.js';
import type { FramedMessages } from '../../../../../src/platform/eventstore/embedded/wire/framed.js';

/** A call that does with each write what grpc-js does. */
class Call extends EventEmitter {
  readonly writes: Buffer[] = [];
  cancelled = false;
  destroyed = false;
  writableEnded = false;

  write(chunk: FramedMessages, done: () => void): void {
    const bytes = Buffer.allocUnsafe(chunk.byteLength + 5);
    bytes.writeUInt8(0, 0);
    bytes.writeUInt32BE(chunk.byteLength, 1);
    chunk.copy(bytes);
    this.writes.push(bytes);
    setImmediate(done);
  }
}

async function sent(messages: readonly Buffer[]): Promise<Buffer[]> {
  const call = new Call();
  const outlet = new Outlet(call as never);
  for (const message of messages) {
    outlet.add(message);
    if (outlet.isFull) await outlet.flushFull();
  }
  await outlet.flush();
  return call.writes;
}

const messages = (count: number, size: number) => Array.from({ length: count }, (_, n) => Buffer.alloc(size, n));
const sizes = (writes: readonly Buffer[]) => writes.map(({ length }) => length);

test('many events are written by halves of the window that HTTP/2 gives a server at first', async () => {
  const written = messages(400, 401);
  const writes = await sent(written);
  expect(sizes(writes)).toEqual([32_768, 32_767, 32_768, 32_767, 29_330]);
  expect(Buffer.concat(writes).equals(Buffer.concat(written))).toBe(true);
});

test('an event that is larger than the window goes out in one write of whole windows', async () => {
  const written = [...messages(3, 20_000), ...messages(1, 1_000_000)];
  const writes = await sent(written);
  expect(sizes(writes)).toEqual([32_768, 32_767 + 15 * 65_535, 11_440]);
  expect(Buffer.concat(writes).equals(Buffer.concat(written))).toBe(true);
});

test.each([1, 2, 3, 4])('%d bytes more than a half go with it: grpc-js cannot write so few', async (more) => {
  const written = [Buffer.alloc(32_768 + more, 7)];
  expect(sizes(await sent(written))).toEqual([32_768 + more]);
});

test('clients that do not read hold only what was copied for each of them, and no room to gather more', () => {
  const room = jest.spyOn(Buffer, 'allocUnsafeSlow');
  try {
    for (let client = 0; client < 100; client++) {
      const outlet = new Outlet(Object.assign(new Call(), { write: (chunk: FramedMessages) => chunk.copy(Buffer.alloc(chunk.byteLength + 5)) }) as never);
      outlet.add(Buffer.alloc(20_000));
      void outlet.flush();
    }
    expect(room.mock.calls.length).toBeLessThanOrEqual(1);
  } finally {
    room.mockRestore();
  }
});
