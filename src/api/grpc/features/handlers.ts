import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { WriteReply } from '../../../commands/features/incoming.js';
import type { OnlineAnswer } from '../../../projections/features/online/read.js';
import type { Core } from '../../core.js';
import { featureStore } from '../../features/store.js';
import type { Observer } from '../../observer.js';
import type { HandwrittenRpc } from '../guard.js';
import { unary } from '../unary.js';
import { decodeReadOnlineRequest, encodeReadOnlineReply, type ReadOnlineMessage } from './read-messages.js';
import { offlineMode, onlineMode, onlineRequestOf, writeRequestOf, type ModeOf } from './requests.js';
import { streamWrite } from './stream-write.js';
import { decodeStreamWriteRequest, decodeWriteRequest, encodeStreamWriteReply, encodeWriteReply, type StreamWriteAnswer, type StreamWriteMessage, type WriteMessage } from './write-messages.js';

/** The hot rpcs of the feature store. */
export function featureRpcs(core: Core, observer: Observer): Record<string, HandwrittenRpc> {
  const store = featureStore(core);
  const write = (name: string, modeOf: ModeOf): HandwrittenRpc => ({
    handle: unary<WriteMessage, WriteReply>(observer, name, (message, context) => store.writer.write(writeRequestOf(message, modeOf), context)),
    requestDeserialize: decodeWriteRequest,
    responseSerialize: encodeWriteReply,
  });
  return {
    WriteOnline: write('WriteOnline', onlineMode),
    WriteOffline: write('WriteOffline', offlineMode),
    StreamWrite: {
      handle: (call: ServerDuplexStream<StreamWriteMessage, StreamWriteAnswer>) => streamWrite(call, store.writer, observer),
      requestDeserialize: decodeStreamWriteRequest,
      responseSerialize: encodeStreamWriteReply,
    },
    ReadOnline: {
      handle: unary<ReadOnlineMessage, OnlineAnswer>(observer, 'ReadOnline', (message, context) => store.readOnline(onlineRequestOf(message), context)),
      requestDeserialize: decodeReadOnlineRequest,
      responseSerialize: encodeReadOnlineReply,
    },
  };
}
