import { randomUUID } from 'node:crypto';
import { streamDeleted } from '../refusals.js';
import type { EventStore } from '../store/event-store.js';
import { firstReadable, isThere, oldestReadable } from '../store/readable.js';
import type { StreamState } from '../store/streams.js';
import { caughtUp, checkpoint, confirmation } from '../wire/replies.js';
import type { FilterRequest, ReadRequest } from '../wire/read-requests.js';
import { LogForward, StreamForward } from './cursor.js';
import { Delivery } from './delivery.js';
import { rowFilter } from './filter.js';
import type { Outlet } from './outlet.js';
import { Wakeup } from './wakeup.js';

/** Answers a Read with a subscription: what is there, and then what comes, until the reader goes. */
export async function subscribe(store: EventStore, request: ReadRequest, outlet: Outlet, gone: AbortSignal): Promise<void> {
  if (request.stream === undefined) await subscribeToLog(store, request, outlet, gone);
  else await subscribeToStream(store, request.stream, request, outlet, gone);
}

/** Events searched before a filtered subscription counts one step towards a checkpoint. */
const DEFAULT_WINDOW = 32;

async function subscribeToLog(store: EventStore, request: ReadRequest, outlet: Outlet, gone: AbortSignal): Promise<void> {
  const filter = request.filter && rowFilter(request.filter);
  const position = request.from === 'start' ? 0 : request.from === 'end' ? store.log.end : request.from + 1;
  const cursor = new LogForward(store.log, position, !request.resolveLinks);
  const delivery = new Delivery(store, outlet, request, filter);
  const checkpoints = request.filter && new Checkpoints(request.filter, outlet);
  using wakeup = new Wakeup((wake) => store.signal.watchLog(wake), gone);
  outlet.add(confirmation(randomUUID()));
  await delivery.run(cursor, Infinity, (slice) => checkpoints?.searched(slice.to - slice.from, slice.block.position(slice.to - 1)));
  // Not the log's end: it may have grown while the last events were sent.
  checkpoints?.live(cursor.position - 1);
  outlet.add(caughtUp());
  await outlet.flush();
  while (await wakeup.next()) {
    await delivery.run(cursor, Infinity, (slice) => checkpoints?.searched(slice.to - slice.from, slice.block.position(slice.to - 1)));
  }
}

async function subscribeToStream(store: EventStore, name: string, request: ReadRequest, outlet: Outlet, gone: AbortSignal): Promise<void> {
  const stream = store.streams.get(name);
  if (store.isGone(stream)) throw streamDeleted(name);
  using wakeup = new Wakeup((wake) => store.signal.watchStream(name, wake), gone);
  outlet.add(confirmation(randomUUID()));
  const first = request.from === 'start' ? 0 : request.from === 'end' ? stream.committed.last + 1 : request.from + 1;
  const cursor = await catchUp(store, stream, first, request, outlet);
  outlet.add(caughtUp());
  await outlet.flush();
  const live = new Delivery(store, outlet, request, undefined);
  while (await wakeup.next()) {
    await live.run(cursor);
    if (store.isGone(store.streams.get(name))) throw streamDeleted(name);
  }
}

/** Sends what is readable of the stream now. Returns the cursor behind it: what comes later is sent whatever the metadata says. */
async function catchUp(store: EventStore, stream: StreamState, revision: number, request: ReadRequest, outlet: Outlet): Promise<StreamForward> {
  const head = stream.committed;
  if (!isThere(head)) return new StreamForward(store, stream.name, Math.max(revision, head.last + 1));
  const oldest = oldestReadable(head, Date.now());
  const delivery = new Delivery(store, outlet, request, oldest > 0 ? (block, row) => block.createdMs(row) >= oldest : undefined);
  const cursor = new StreamForward(store, stream.name, Math.max(revision, firstReadable(head)));
  await delivery.run(cursor);
  return cursor;
}

/** Tells a filtered reader how far the log was searched for it. */
class Checkpoints {
  private readonly every: number;
  private searchedSince = 0;

  constructor(
    filter: FilterRequest,
    private readonly outlet: Outlet,
  ) {
    this.every = Math.max(1, filter.checkpointInterval) * (filter.window ?? DEFAULT_WINDOW);
  }

  searched(events: number, position: number): void {
    this.searchedSince += events;
    if (this.searchedSince < this.every) return;
    this.searchedSince = 0;
    this.outlet.add(checkpoint(position));
  }

  live(position: number): void {
    this.searchedSince = 0;
    this.outlet.add(checkpoint(Math.max(0, position)));
  }
}
