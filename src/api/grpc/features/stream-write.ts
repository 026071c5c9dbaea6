import type { ServerDuplexStream } from '@grpc/grpc-js';
import { once } from 'node:events';
import type { WriteReply } from '../../../commands/features/incoming.js';
import type { FeatureWriter } from '../../../commands/features/write.js';
import { Refusal } from '../../../domain/kit/index.js';
import { failureOf } from '../../errors.js';
import type { Observer } from '../../observer.js';
import type { WireContext } from '../../operations.js';
import { grpcContext } from '../call.js';
import { anyMode, writeRequestOf } from './requests.js';
import type { StreamWriteAnswer, StreamWriteMessage } from './write-messages.js';

/** So many requests of one stream are under way at once; the next is read once the oldest has been answered. */
const mostUnderWay = 16;

type Call = ServerDuplexStream<StreamWriteMessage, StreamWriteAnswer>;

/** Writes request by request: appended in their order, and answered in it once durable. */
export async function streamWrite(call: Call, writer: FeatureWriter, observer: Observer): Promise<void> {
  const context = grpcContext(call);
  const window: Promise<void>[] = [];
  let appended: Promise<unknown> = Promise.resolve();
  let answered = Promise.resolve();
  for await (const message of call as AsyncIterable<StreamWriteMessage>) {
    const own = message.requestId === '' ? context : (Object.create(context, { idempotencyKey: { value: message.requestId } }) as WireContext);
    // Requests are made ready side by side, but their appends start in order.
    const started = Promise.all([prepare(writer, message, own), appended]).then(([write]) => ({ answer: write() }));
    appended = started.catch(() => 'its answer says why');
    const answer = answerTo(message.requestId, observer, own, started);
    answered = answered.then(async () => send(call, await answer));
    window.push(answered);
    if (window.length >= mostUnderWay) await window.shift();
  }
  await answered;
  call.end();
}

const prepare = async (writer: FeatureWriter, { write, requestId }: StreamWriteMessage, context: WireContext) => {
  if (requestId !== '' && !/^[\x21-\x7e]{1,256}$/.test(requestId)) {
    throw new Refusal('INVALID_ARGUMENT', 'requestId takes 1 to 256 visible ASCII characters', { fields: [{ field: 'requestId', description: 'takes 1 to 256 visible ASCII characters' }] });
  }
  return writer.prepare(writeRequestOf(write, anyMode), context);
};

/** A refusal answers its own request and the stream goes on; so does a failure of the log, which the client may send again. */
async function answerTo(requestId: string, observer: Observer, context: WireContext, started: Promise<{ answer: Promise<WriteReply> }>): Promise<StreamWriteAnswer> {
  try {
    return { requestId, written: await observer.observe('grpc', 'StreamWrite', context, async () => (await started).answer) };
  } catch (error) {
    const { code, reason, message, fields } = failureOf(error);
    return { requestId, refusal: { code, reason: reason ?? code, message, fields } };
  }
}

/** Waits while the client does not read its answers. */
async function send(call: Call, answer: StreamWriteAnswer): Promise<void> {
  if (!call.write(answer) && !call.cancelled) await Promise.race([once(call, 'drain'), once(call, 'cancelled')]);
}
