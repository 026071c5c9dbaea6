import { invalidArgument, streamDeleted } from '../refusals.js';
import type { EventStore } from '../store/event-store.js';
import { firstReadable, isThere, oldestReadable } from '../store/readable.js';
import { streamNotFound } from '../wire/replies.js';
import type { ReadRequest } from '../wire/read-requests.js';
import { LogBackward, LogForward, StreamBackward, StreamForward } from './cursor.js';
import { Delivery } from './delivery.js';
import { rowFilter, type RowFilter } from './filter.js';
import type { Outlet } from './outlet.js';

/** Answers a Read with a count: so many events and then the end. */
export async function read(store: EventStore, request: ReadRequest & { count: number }, outlet: Outlet): Promise<void> {
  if (request.count === 0) throw invalidArgument('A read needs a count of at least 1.');
  if (request.stream === undefined) await readLog(store, request, outlet);
  else await readStream(store, request.stream, request, outlet);
}

async function readLog(store: EventStore, request: ReadRequest & { count: number }, outlet: Outlet): Promise<void> {
  const filter = request.filter && rowFilter(request.filter);
  const { end } = store.log;
  const position = request.from === 'start' ? 0 : request.from === 'end' ? end : request.from;
  const cursor = request.backwards ? new LogBackward(store.log, position) : new LogForward(store.log, position, !request.resolveLinks);
  await new Delivery(store, outlet, request, filter, request.backwards).run(cursor, request.count);
}

async function readStream(store: EventStore, name: string, request: ReadRequest & { count: number }, outlet: Outlet): Promise<void> {
  if (name === '') throw invalidArgument('A read needs the name of a stream.');
  if (!request.backwards && request.from === 'end') throw invalidArgument('A stream cannot be read forwards from its end.');
  const stream = store.streams.get(name);
  if (store.isGone(stream)) throw streamDeleted(name);
  const head = stream.committed;
  if (!isThere(head)) {
    outlet.add(streamNotFound(name));
    return outlet.flush();
  }
  const first = firstReadable(head);
  const oldest = oldestReadable(head, Date.now());
  const filter: RowFilter | undefined =
    oldest > 0 ? (block, row) => block.createdMs(row) >= oldest : undefined;
  const from = request.from === 'start' ? 0 : request.from === 'end' ? head.last : request.from;
  const delivery = new Delivery(store, outlet, request, filter, request.backwards);
  if (request.backwards) return delivery.run(untilRevision(new StreamBackward(store, name, Math.min(from, head.last)), first), request.count);
  const start = Math.max(from, first);
  // What is appended while the read goes on is not part of it.
  await delivery.run(new StreamForward(store, name, start), Math.min(request.count, head.last + 1 - start));
}

/** Stops a backwards reader at the first revision that is readable, however many lie before it. */
function untilRevision(cursor: StreamBackward, first: number): StreamBackward {
  const next = cursor.next.bind(cursor);
  cursor.next = () => {
    const slice = next();
    return slice !== undefined && slice.block.revision(slice.from) >= first ? slice : undefined;
  };
  return cursor;
}
