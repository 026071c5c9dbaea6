import { eventTypeFilter, excludeSystemEvents, streamNameFilter } from '@eventstore/db-client';
import type { SubscribeToAllOptions } from '@eventstore/db-client';
import type { LogFilter, StoredEvent } from './port.js';

type ClientFilter = NonNullable<SubscribeToAllOptions['filter']>;

/** A checkpoint message for every four search windows (128 events) without a match: rare enough to cost nothing. */
const checkpointInterval = 4;

/** The filter as the server understands it; without one, everything but system events. */
export function serverFilter(filter: LogFilter | undefined): ClientFilter {
  if (!filter) return excludeSystemEvents({ checkpointInterval });
  if ('streamPrefixes' in filter) return streamNameFilter({ prefixes: prefixesOf(filter.streamPrefixes), checkpointInterval });
  return eventTypeFilter({ prefixes: prefixesOf(filter.eventTypePrefixes), checkpointInterval });
}

/** The same choice made here, for reads that cannot send a filter and for what a server lets through. */
export function wanted(filter: LogFilter | undefined, system: boolean): (event: StoredEvent) => boolean {
  const mayPass = (event: StoredEvent) => system || !isSystemEvent(event);
  if (!filter) return mayPass;
  if ('streamPrefixes' in filter) {
    const prefixes = prefixesOf(filter.streamPrefixes);
    return (event) => prefixes.some((prefix) => event.stream.startsWith(prefix)) && mayPass(event);
  }
  const prefixes = prefixesOf(filter.eventTypePrefixes);
  return (event) => prefixes.some((prefix) => event.type.startsWith(prefix)) && mayPass(event);
}

const dollar = 0x24;

/** Whether an event is the server's own: of a type or in a stream that begins with a dollar sign. */
export function isSystemEvent({ type, stream }: StoredEvent): boolean {
  return type.charCodeAt(0) === dollar || stream.charCodeAt(0) === dollar;
}

/** A filter without prefixes would mean nothing to some servers and everything to others. */
function prefixesOf(prefixes: readonly string[]): string[] {
  if (prefixes.length === 0 || prefixes.includes('')) throw new RangeError('A filter of the log needs at least one prefix, and none may be empty');
  return [...prefixes];
}
