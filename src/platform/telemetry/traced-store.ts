import type { EventStore } from '../eventstore/port.js';
import type { Tracing } from './tracing.js';

/** The event store with a span around every append; reads and subscriptions are as they were. */
export function tracedStore(eventStore: EventStore, tracing: Tracing): EventStore {
  if (!tracing.enabled) return eventStore;
  const append: EventStore['append'] = (stream, events, options) => tracing.inSpan('append', undefined, () => eventStore.append(stream, events, options));
  return new Proxy(eventStore, {
    get(target, property) {
      if (property === 'append') return append;
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
