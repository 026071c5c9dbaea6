import type { ServerWritableStream } from '@grpc/grpc-js';
import { once } from 'node:events';

/** Waits while the client does not read; throws the signal's own reason when it has gone, which `once` hides in an AbortError. */
export async function drained(call: ServerWritableStream<any, any>, signal: AbortSignal | undefined): Promise<void> {
  try {
    await once(call, 'drain', { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
