import type { sendUnaryData, ServerDuplexStream, ServerWritableStream } from '@grpc/grpc-js';
import { Refusal } from '../../../domain/kit/index.js';
import type { TrainingColumn, TrainingSet } from '../../../projections/features/history/training-set.js';
import { traceIdOf } from '../../context.js';
import type { Core } from '../../core.js';
import { saveTrainingSet, trainingSetRows, type SaveReply, type SaveRequest } from '../../features/training-sets.js';
import type { Observer } from '../../observer.js';
import type { WireContext } from '../../operations.js';
import { visitorOf } from '../../visitors.js';
import { grpcContext, sendVersion } from '../call.js';
import { drained } from '../drained.js';
import type { HandwrittenRpc } from '../guard.js';
import { messagesOf } from '../messages.js';
import { grpcError } from '../status.js';
import { joinedQuestionOf } from './history-requests.js';
import { mostRows, rowsOfBatch } from './history-rpcs.js';
import { decodeSaveTrainingSetRequest, encodeTrainingSetBatch, type SavedBatch, type SaveTrainingSetMessage } from './training-set-messages.js';

type SaveCall = ServerDuplexStream<SaveTrainingSetMessage, never>;
type DownloadCall = ServerWritableStream<{ project: string; trainingSet: string }, SavedBatch>;

/** The rpcs that save training sets and give their rows. */
export function trainingSetRpcs(core: Core, observer: Observer): Record<string, HandwrittenRpc> {
  return {
    SaveTrainingSet: {
      handle: async (call: SaveCall, callback: sendUnaryData<SaveReply>) => {
        try {
          const reply = await observer.observe('grpc', 'SaveTrainingSet', grpcContext(call), async (traced) => saveTrainingSet(core, await requestOf(call), traced));
          sendVersion(call, reply);
          callback(null, reply);
        } catch (error) {
          callback(grpcError(error, traceIdOf(visitorOf(call.metadata).traceparent)));
        }
      },
      requestDeserialize: decodeSaveTrainingSetRequest,
    },
    DownloadTrainingSet: {
      handle: async (call: DownloadCall) => {
        try {
          await observer.observe('grpc', 'DownloadTrainingSet', grpcContext(call), (traced) => send(core, call, traced));
          call.end();
        } catch (error) {
          call.emit('error', grpcError(error, traceIdOf(visitorOf(call.metadata).traceparent)));
        }
      },
      responseSerialize: encodeTrainingSetBatch,
    },
  };
}

async function requestOf(call: SaveCall): Promise<SaveRequest> {
  const messages: SaveTrainingSetMessage[] = [];
  let rows = 0;
  for await (const message of messagesOf(call)) {
    messages.push(message);
    rows += message.question?.rowTimeUs.length ?? 0;
    if (rows > mostRows) throw new Refusal('RESOURCE_EXHAUSTED', `A training set takes at most ${mostRows} rows`, { reason: 'TOO_MANY_ROWS' });
  }
  const questions = messages.map(({ question }) => question).filter((question) => question !== undefined);
  const [first] = messages;
  const question = joinedQuestionOf(questions);
  const { trainingSet, owner, description, tags, storeRows } = first!;
  return { labels: { project: question.project, trainingSet, owner, description, tags }, question, storeRows };
}

/** Sends the rows as fast as the client takes them. A batch without rows says when there are none. */
async function send(core: Core, call: DownloadCall, context: WireContext): Promise<void> {
  const { signal } = context;
  const { tables, known, deletedSince } = await trainingSetRows(core, call.request, context);
  for await (const table of tables) {
    const typed = withTypes(table);
    for (let from = 0; from === 0 || from < table.rows; from += rowsOfBatch) {
      signal?.throwIfAborted();
      if (!call.write({ answer: { known }, table: typed, from, to: Math.min(table.rows, from + rowsOfBatch), deletedSince })) await drained(call, signal);
    }
  }
}

/** Columns of mixed JSON, which a column of protobuf cannot hold, go out as JSON texts. */
const withTypes = ({ rows, columns }: TrainingSet): SavedBatch['table'] => ({
  rows,
  columns: columns.map((column): TrainingColumn => (column.type ? column : { ...column, type: 'STRING', at: (row) => textOf(column.at(row)) })),
});

const textOf = (value: unknown): string | null => (value === null || value === undefined ? null : typeof value === 'string' ? value : JSON.stringify(value));
