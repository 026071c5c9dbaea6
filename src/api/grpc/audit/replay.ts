import type { ServerWritableStream } from '@grpc/grpc-js';
import { bounded } from '../../../projections/replay/bounded.js';
import { decidersOf } from '../../../projections/replay/deciders.js';
import { inPlainJson, replay, type ReplayedEvent } from '../../../projections/replay/replay.js';
import { traceIdOf } from '../../context.js';
import type { Core } from '../../core.js';
import { fieldsOf } from '../../fields.js';
import type { Observer } from '../../observer.js';
import type { WireContext } from '../../operations.js';
import { replayInput, replayRequestOf, requireReplay } from '../../replay.js';
import { visitorOf } from '../../visitors.js';
import { grpcContext } from '../call.js';
import { drained } from '../drained.js';
import type { HandwrittenRpc } from '../guard.js';
import { inputOfMessage } from '../input.js';
import { grpcError } from '../status.js';

type Call = ServerWritableStream<object, ReplayedEvent>;

/** The log told again as a stream: it waits when the caller reads slowly, and ends when the caller goes away. */
export function auditRpcs(core: Core, observer: Observer): Record<string, HandwrittenRpc> {
  const readInput = inputOfMessage(fieldsOf(replayInput, 'input'));
  return {
    Replay: {
      handle: async (call: Call) => {
        try {
          await observer.observe('grpc', 'Replay', grpcContext(call), (context) => send(call, core, readInput(call.request), context));
          call.end();
        } catch (error) {
          call.emit('error', grpcError(error, traceIdOf(visitorOf(call.metadata).traceparent)));
        }
      },
    },
  };
}

async function send(call: Call, core: Core, input: unknown, context: WireContext): Promise<void> {
  const { selection, state } = replayRequestOf(input);
  requireReplay(selection, context);
  const { signal } = context;
  for await (const event of replay(core.eventStore, await bounded(core.pool, selection), { state, deciders: decidersOf(core.catalogue), signal })) {
    signal?.throwIfAborted();
    if (!call.write(inPlainJson(event))) await drained(call, signal);
  }
}
