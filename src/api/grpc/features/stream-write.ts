import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { WriteReply } from '../../../commands/features/incoming.js';
import type { FeatureWriter } from '../../../commands/features/write.js';
import { Refusal } from '../../../domain/kit/index.js';
import { failureOf } from '../../errors.js';
import type { Observer } from '../../observer.js';
import type { WireContext } from '../../operations.js';
import { grpcContext } from '../call.js';
import { messagesOf } from '../messages.js';
import { anyMode, writeRequestOf } from './requests.js';
import type { StreamWriteAnswer, StreamWriteMessage } from './write-messages.js';

/** So much of one stream is under way at once: many small requests, or a few large ones. The next is read once the oldest has been answered. */
const mostRequests = 256;
const mostRows = 20_000;

type Call = ServerDuplexStream<StreamWriteMessage, StreamWriteAnswer>;

/** Writes request by request: appended in their order, and answered in it once durable. */
export async function streamWrite(call: Call, writer: FeatureWriter, observer: Observer): Promise<void> {
  const context = grpcContext(call);
  const window: { readonly rows: number; readonly done: Promise<void> }[] = [];
  let rows = 0;
  let appended: Promise<unknown> = Promise.resolve();
  let answered = Promise.resolve();
  for await (const message of messagesOf(call)) {
    const own = message.requestId === '' ? context : (Object.create(context, { idempotencyKey: { value: message.requestId } }) as WireContext);
    // Requests are made ready side by side, but their appends start in order.
    const started = Promise.all([prepare(writer, message, own), appended]).then(([write]) => ({ answer: write() }));
    appended = started.catch(() => 'its answer says why');
    const answer = answerTo(message.requestId, observer, own, started);
    answered = answered.then(async () => send(call, await answer));
    rows += rowsOf(message);
    window.push({ rows: rowsOf(message), done: answered });
    while (window.length >= mostRequests || (rows > mostRows && window.length > 0)) {
      const oldest = window.shift()!;
      await oldest.done;
      rows -= oldest.rows;
    }
  }
  await answered;
  call.end();
}

const rowsOf = ({ write }: StreamWriteMessage): number => write.batch?.eventTimeUs.length ?? write.rows.length;

const prepare = async (writer: FeatureWriter, { write, requestId }: StreamWriteMessage, context: WireContext) => {
  if (requestId !== '' && !/^[\x21-\x7e]{1,256}$/.test(requestId)) {
    throw new Refusal('INVALID_ARGUMENT', 'requestId takes 1 to 256 visible ASCII characters', { reason: 'INVALID_INPUT', fields: [{ field: 'requestId', description: 'takes 1 to 256 visible ASCII characters' }] });
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
function send(call: Call, answer: StreamWriteAnswer): Promise<void> | void {
  if (call.cancelled || call.write(answer)) return;
  return new Promise((resolve) => {
    const go = () => {
      call.off('drain', go).off('cancelled', go);
      resolve();
    };
    call.on('drain', go).on('cancelled', go);
  });
}
