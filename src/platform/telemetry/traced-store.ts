import type { EventStore } from '../eventstore/port.js';
import { traceparentIn } from './traceparent.js';
import type { Tracing } from './tracing.js';

/** The event store with a span around every append, below the command that its events name; reads and subscriptions are as they were. */
export function tracedStore(eventStore: EventStore, tracing: Tracing): EventStore {
  if (!tracing.enabled) return eventStore;
  const append: EventStore['append'] = (stream, events, options) => {
    const traceparent = events[0] && traceparentIn(events[0].metadata);
    const write = () => eventStore.append(stream, events, options);
    return traceparent === undefined ? write() : tracing.inSpan('append', traceparent, write, { kind: 'client', attributes: { stream, events: events.length } });
  };
  return new Proxy(eventStore, {
    get(target, property) {
      if (property === 'append') return append;
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
