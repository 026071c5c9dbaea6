import type { ServerDuplexStream } from '@grpc/grpc-js';
import { Refusal } from '../../domain/kit/index.js';

/**
 * The messages of a call that brings many. Ends with a refusal when the caller goes away or sends what does not decode;
 * leaving early keeps the call open, so that it can still be answered.
 */
export async function* messagesOf<Message>(call: ServerDuplexStream<Message, any>): AsyncGenerator<Message> {
  try {
    for await (const message of call.iterator({ destroyOnReturn: false })) yield message as Message;
  } catch (error) {
    if (call.cancelled) throw new Refusal('CANCELLED', 'The caller went away', { reason: 'CANCELLED' });
    // What the guard has refused already ends the stream with gRPC's words for it.
    const { cause } = error as { cause?: unknown };
    throw cause instanceof Refusal ? cause : error;
  }
}
