import { LINK_TYPE, resolvedFrame } from '../reading/links.js';
import type { RecordedEventView } from '../store/block.js';
import type { EventStore } from '../store/event-store.js';
import type { GroupConfig } from './config.js';
import type { Message } from './message.js';

/** The framed reply that a message is sent as; undefined when it was scavenged meanwhile. */
export function frameOf(store: EventStore, { position, resolves }: Pick<Message, 'position' | 'resolves'>): Buffer | undefined {
  const block = store.log.atOrAfter(position);
  const row = position - (block?.first ?? Infinity);
  if (block === undefined || row < 0 || !block.has(row)) return undefined;
  return resolves ? resolvedFrame(store, block, row) : block.frame(row);
}

/** What a group needs to know of an event as its consumers get it: the one that a link leads to, or the link where it leads nowhere. */
export function lookAt(event: RecordedEventView, { strategy, resolveLinks }: Pick<GroupConfig, 'strategy' | 'resolveLinks'>): { target: string; pin: string } {
  const stream = event.streamName();
  const link = event.system('type') === LINK_TYPE ? event.data().toString('utf8') : undefined;
  const target = link !== undefined && resolveLinks ? link : `${event.revision()}@${stream}`;
  const correlation = strategy === 'PinnedByCorrelation' ? correlationOf(event.metadata()) : undefined;
  return { target, pin: correlation ?? (link === undefined ? stream : behind(link)) };
}

/** The stream in the data of a link. */
const behind = (link: string): string => link.slice(link.indexOf('@') + 1);

function correlationOf(metadata: Buffer): string | undefined {
  try {
    const value = (JSON.parse(metadata.toString('utf8')) as Record<string, unknown> | null)?.['$correlationId'];
    return typeof value === 'string' ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
