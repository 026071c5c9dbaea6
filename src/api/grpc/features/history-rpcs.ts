import type { ServerDuplexStream, ServerWritableStream } from '@grpc/grpc-js';
import { Refusal } from '../../../domain/kit/index.js';
import type { AsOfAnswer } from '../../../projections/features/history/as-of.js';
import type { HistoricalQuestion } from '../../../projections/features/history/historical.js';
import { traceIdOf } from '../../context.js';
import type { Core } from '../../core.js';
import { featureHistory, tablesOf, type BegunAnswer } from '../../features/history.js';
import type { Observer } from '../../observer.js';
import type { WireContext } from '../../operations.js';
import { visitorOf } from '../../visitors.js';
import { grpcContext } from '../call.js';
import { drained } from '../drained.js';
import type { HandwrittenRpc } from '../guard.js';
import { messagesOf } from '../messages.js';
import { grpcError } from '../status.js';
import { unary } from '../unary.js';
import {
  decodeHistoricalRequest, decodeReadAsOfRequest, decodeReadOfflineRequest, encodeHistoricalBatch, encodeReadAsOfReply,
  type BatchAnswer, type HistoricalMessage, type ReadPastMessage,
} from './history-messages.js';
import { asOfRequestOf, historicalQuestionOf, joinedQuestionOf, offlineQuestionOf } from './history-requests.js';

/** How many rows one message of an answer holds. */
export const rowsOfBatch = 8192;
/** The most rows of a question that comes in several messages; they are held in memory until the last has come. */
export const mostRows = 10_000_000;

type Call = ServerWritableStream<unknown, BatchAnswer>;

/** The rpcs that read history. */
export function featureHistoryRpcs(core: Core, observer: Observer): Record<string, HandwrittenRpc> {
  const history = featureHistory(core);
  const streaming = <Message>(name: string, decode: (bytes: Buffer) => Message, questionOf: (call: Call & { request: Message }) => HistoricalQuestion | Promise<HistoricalQuestion>): HandwrittenRpc => ({
    handle: async (call: Call & { request: Message }) => {
      const context = grpcContext(call);
      try {
        await observer.observe('grpc', name, context, async (traced) => send(call, await history.historical(await questionOf(call), traced), traced));
        call.end();
      } catch (error) {
        call.emit('error', grpcError(error, traceIdOf(visitorOf(call.metadata).traceparent)));
      }
    },
    requestDeserialize: decode,
    responseSerialize: encodeHistoricalBatch,
  });
  return {
    ReadAsOf: {
      handle: unary<ReadPastMessage, AsOfAnswer>(observer, 'ReadAsOf', (message, context) => history.readAsOf(asOfRequestOf(message), context)),
      requestDeserialize: decodeReadAsOfRequest,
      responseSerialize: encodeReadAsOfReply,
    },
    ReadOffline: streaming<ReadPastMessage>('ReadOffline', decodeReadOfflineRequest, ({ request }) => offlineQuestionOf(request)),
    GetHistoricalFeatures: streaming<HistoricalMessage>('GetHistoricalFeatures', decodeHistoricalRequest, ({ request }) => historicalQuestionOf(request)),
    StreamHistoricalFeatures: streaming<HistoricalMessage>('StreamHistoricalFeatures', decodeHistoricalRequest, async (call) => joinedQuestionOf(await allOf(call as never))),
  };
}

async function allOf(call: ServerDuplexStream<HistoricalMessage, BatchAnswer>): Promise<HistoricalMessage[]> {
  const messages: HistoricalMessage[] = [];
  let rows = 0;
  for await (const message of messagesOf(call)) {
    messages.push(message);
    rows += message.rowTimeUs.length;
    if (rows > mostRows) throw new Refusal('RESOURCE_EXHAUSTED', `A training set takes at most ${mostRows} rows`, { reason: 'TOO_MANY_ROWS' });
  }
  return messages;
}

/** Sends an answer batch by batch, as fast as the client takes it; stops reading when the client has gone. A batch without rows says when there are none. */
async function send(call: Call, answer: BegunAnswer, { signal }: WireContext): Promise<void> {
  for await (const table of tablesOf(answer)) {
    for (let from = 0; from === 0 || from < table.rows; from += rowsOfBatch) {
      signal?.throwIfAborted();
      const taken = call.write({ answer, table, from, to: Math.min(table.rows, from + rowsOfBatch) });
      if (!taken) await drained(call, signal);
    }
  }
}
