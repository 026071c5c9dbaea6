import type { AppendOptions, AppendResult, DeleteOptions, EventStore, LogReadOptions, NewEvent, StreamMetadata, StreamReadOptions, SubscribeOptions, CallOptions } from '../eventstore/port.js';
import { isRecorded, traceparentIn } from './traceparent.js';
import type { Tracing } from './tracing.js';

/** The event store with a span around every append, below the command that its events name; reads and subscriptions are as they were. */
export const tracedStore = (eventStore: EventStore, tracing: Tracing): EventStore => (tracing.enabled ? new TracedStore(eventStore, tracing) : eventStore);

/** Written out, because a Proxy would be asked at every call of a command. */
class TracedStore implements EventStore {
  constructor(
    private readonly inner: EventStore,
    private readonly tracing: Tracing,
  ) {}

  append(stream: string, events: readonly NewEvent[], options: AppendOptions): Promise<AppendResult> {
    const traceparent = events[0] && traceparentIn(events[0].metadata);
    if (traceparent === undefined || !isRecorded(traceparent)) return this.inner.append(stream, events, options);
    return this.tracing.inSpan('append', traceparent, () => this.inner.append(stream, events, options), { kind: 'client', attributes: { stream, events: events.length } });
  }

  readStream(stream: string, options?: StreamReadOptions) {
    return this.inner.readStream(stream, options);
  }
  readLog(options?: LogReadOptions) {
    return this.inner.readLog(options);
  }
  subscribe(options: SubscribeOptions) {
    return this.inner.subscribe(options);
  }
  endOfLog(options?: CallOptions) {
    return this.inner.endOfLog(options);
  }
  streamMetadata(stream: string, options?: CallOptions) {
    return this.inner.streamMetadata(stream, options);
  }
  setStreamMetadata(stream: string, metadata: StreamMetadata, options?: Partial<AppendOptions>) {
    return this.inner.setStreamMetadata(stream, metadata, options);
  }
  deleteStream(stream: string, options?: DeleteOptions) {
    return this.inner.deleteStream(stream, options);
  }
  tombstoneStream(stream: string, options?: DeleteOptions) {
    return this.inner.tombstoneStream(stream, options);
  }
  health(options?: CallOptions) {
    return this.inner.health(options);
  }
  close() {
    return this.inner.close();
  }
}
