import type { sendUnaryData, ServerDuplexStream, ServerUnaryCall, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { WriteReply } from '../../../commands/features/incoming.js';
import type { OnlineAnswer } from '../../../projections/features/online/read.js';
import { traceIdOf } from '../../context.js';
import type { Core } from '../../core.js';
import { featureStore } from '../../features.js';
import type { Observer } from '../../observer.js';
import type { WireContext } from '../../operations.js';
import { grpcContext, sendVersion } from '../call.js';
import { grpcError } from '../status.js';
import { decodeReadOnlineRequest, encodeReadOnlineReply, type ReadOnlineMessage } from './read-messages.js';
import { offlineMode, onlineMode, onlineRequestOf, writeRequestOf, type ModeOf } from './requests.js';
import { streamWrite } from './stream-write.js';
import { decodeStreamWriteRequest, decodeWriteRequest, encodeStreamWriteReply, encodeWriteReply, type StreamWriteAnswer, type StreamWriteMessage, type WriteMessage } from './write-messages.js';

/** The hot rpcs of the feature store. */
export function featureHandlers(core: Core, observer: Observer): UntypedServiceImplementation {
  const store = featureStore(core);
  const write = (modeOf: ModeOf) => (message: WriteMessage, context: WireContext) => store.writer.write(writeRequestOf(message, modeOf), context);
  return {
    WriteOnline: unary<WriteMessage, WriteReply>(observer, 'WriteOnline', write(onlineMode)),
    WriteOffline: unary<WriteMessage, WriteReply>(observer, 'WriteOffline', write(offlineMode)),
    StreamWrite: (call: ServerDuplexStream<StreamWriteMessage, StreamWriteAnswer>) => streamWrite(call, store.writer, observer),
    ReadOnline: unary<ReadOnlineMessage, OnlineAnswer>(observer, 'ReadOnline', (message, context) => store.readOnline(onlineRequestOf(message), context)),
  };
}

/** How the messages of those rpcs are read and written. */
export const featureCodecs = {
  WriteOnline: { requestDeserialize: decodeWriteRequest, responseSerialize: encodeWriteReply },
  WriteOffline: { requestDeserialize: decodeWriteRequest, responseSerialize: encodeWriteReply },
  StreamWrite: { requestDeserialize: decodeStreamWriteRequest, responseSerialize: encodeStreamWriteReply },
  ReadOnline: { requestDeserialize: decodeReadOnlineRequest, responseSerialize: encodeReadOnlineReply },
};

function unary<Request, Reply extends object>(observer: Observer, name: string, answer: (message: Request, context: WireContext) => Promise<Reply>) {
  return async (call: ServerUnaryCall<Request, Reply>, callback: sendUnaryData<Reply>): Promise<void> => {
    let context: WireContext | undefined;
    try {
      context = grpcContext(call);
      const reply = await observer.observe('grpc', name, context, (traced) => answer(call.request, traced));
      sendVersion(call, reply);
      callback(null, reply);
    } catch (error) {
      callback(grpcError(error, traceIdOf(context?.traceparent ?? '')));
    }
  };
}
