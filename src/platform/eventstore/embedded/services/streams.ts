import type { sendUnaryData, ServerDuplexStream, ServerReadableStream, ServerUnaryCall, ServerWritableStream, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { callerOf, demand } from '../access/caller.js';
import { accessDenied, invalidStreamName, isStreamName, maximumAppendSizeExceeded, streamDeleted, wrongExpectedVersion } from '../refusals.js';
import { read } from '../reading/read.js';
import { Outlet } from '../reading/outlet.js';
import { subscribe } from '../reading/subscription.js';
import type { EventStore, WriteOutcome } from '../store/event-store.js';
import { FramedMessages } from '../wire/framed.js';
import type { ProposedEvent } from '../wire/recorded-event.js';
import { appendReply, deleteReply } from '../wire/replies.js';
import { decodeReadRequest, type ReadRequest } from '../wire/read-requests.js';
import { decodeAppendRequest, decodeBatchRequest, decodeDeleteRequest, type AppendMessage, type BatchMessage, type WriteTarget } from '../wire/write-requests.js';
import { sizeOf, type StreamsLimits } from './append-size.js';
import { BatchAppends } from './batch-append.js';
import { answer, asRefusal, type OpenCalls } from './calls.js';
import { method } from './method.js';

const path = (name: string): string => `/event_store.client.streams.Streams/${name}`;

/** The Streams service with codecs of our own: its messages are the hot ones. */
export const streamsDefinition: ServiceDefinition = {
  read: method(path('Read'), { request: decodeReadRequest, responseStream: true }),
  append: method(path('Append'), { request: decodeAppendRequest, requestStream: true }),
  batchAppend: method(path('BatchAppend'), { request: decodeBatchRequest, requestStream: true, responseStream: true }),
  delete: method(path('Delete'), { request: decodeDeleteRequest }),
  tombstone: method(path('Tombstone'), { request: decodeDeleteRequest }),
};

/** Serves reads, subscriptions, appends and deletes of streams. */
export function streamsService(store: EventStore, calls: OpenCalls, limits: StreamsLimits): UntypedServiceImplementation {
  return {
    read: (call: ServerWritableStream<ReadRequest, FramedMessages>) => void serveRead(store, calls, limits, call),
    append: (call: ServerReadableStream<AppendMessage, Buffer>, reply: sendUnaryData<Buffer>) => serveAppend(store, limits, call, reply),
    batchAppend: (call: ServerDuplexStream<BatchMessage, FramedMessages>) => new BatchAppends(store, limits, call, calls.track(call)).serve(),
    delete: answer((target: WriteTarget, call: object) => serveDelete(call, target, (done) => store.delete(target.stream, target.expected, done))),
    tombstone: answer((target: WriteTarget, call: object) => serveDelete(call, target, (done) => store.tombstone(target.stream, target.expected, done))),
  };
}

async function serveRead(store: EventStore, calls: OpenCalls, limits: StreamsLimits, call: ServerWritableStream<ReadRequest, FramedMessages>): Promise<void> {
  const gone = calls.track(call);
  const outlet = new Outlet(call as never);
  const { request } = call;
  try {
    demand(call, 'read', request.stream);
    if (request.count === undefined) await subscribe(store, request, outlet, gone);
    else {
      const begun = performance.now();
      await read(store, { ...request, count: request.count }, outlet);
      limits.answered?.('Streams/Read', request.stream, performance.now() - begun - outlet.waitedMs);
    }
    if (!outlet.isClosed) call.end();
  } catch (error) {
    // What was found before the failure still goes out.
    await outlet.flush();
    call.emit('error', asRefusal(error));
  }
}

function serveAppend(store: EventStore, limits: StreamsLimits, call: ServerReadableStream<AppendMessage, Buffer>, reply: sendUnaryData<Buffer>): void {
  let target: WriteTarget | undefined;
  let bytes = 0;
  const events: ProposedEvent[] = [];
  call.on('data', (message: AppendMessage) => {
    if ('target' in message) target = message.target;
    else {
      bytes += sizeOf(message.event);
      if (bytes <= limits.maxAppendBytes) events.push(message.event);
    }
  });
  call.on('end', () => {
    if (target === undefined) return reply(asRefusal(new RangeError('An append begins with its options.')));
    if (bytes > limits.maxAppendBytes) return reply(maximumAppendSizeExceeded(limits.maxAppendBytes));
    const { stream, expected } = target;
    if (!isStreamName(stream)) return reply(invalidStreamName(stream));
    if (!callerOf(call).mayStream('write', stream)) return reply(accessDenied());
    const begun = performance.now();
    store.append(stream, expected, events, (outcome, failure) => {
      limits.appended?.('Streams/Append', stream, events.length, performance.now() - begun);
      if (failure !== undefined) reply(asRefusal(failure));
      else if (outcome.kind === 'deleted') reply(streamDeleted(stream));
      else reply(null, appendReply(outcome, expected));
    });
  });
}

function serveDelete(call: object, { stream, expected }: WriteTarget, write: (done: (outcome: WriteOutcome, failure?: Error) => void) => void): Promise<Buffer> {
  if (!isStreamName(stream)) throw invalidStreamName(stream);
  demand(call, 'delete', stream);
  return new Promise((resolve, reject) =>
    write((outcome, failure) => {
      if (failure !== undefined) return reject(failure);
      switch (outcome.kind) {
        case 'written':
          return resolve(deleteReply(outcome.position ?? 0));
        case 'wrong-version':
          return reject(wrongExpectedVersion(stream, expected, outcome.actual));
        case 'deleted':
          return reject(streamDeleted(stream));
      }
    }),
  );
}
