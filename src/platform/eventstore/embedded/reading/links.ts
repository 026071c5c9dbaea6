import { recordedReader, type Block } from '../store/block.js';
import type { EventStore } from '../store/event-store.js';
import { firstReadable, isThere, oldestReadable } from '../store/readable.js';
import { linkedEvent } from '../wire/replies.js';

/** The type of an event that stands for another one; its data is `revision@stream`. */
export const LINK_TYPE = '$>';

/** The reply for a row, where links are followed: the event that it leads to beside the link. */
export function resolvedFrame(store: EventStore, block: Block, row: number): Buffer {
  const frame = block.frame(row);
  if (block.type(row) !== LINK_TYPE) return frame;
  const target = linkTarget(recordedReader(frame).data().toString('utf8'));
  return linkedEvent(target && readableFrame(store, target.stream, target.revision), frame);
}

/** Takes `revision@stream` apart; undefined when it is not of that form. */
export function linkTarget(data: string): { stream: string; revision: number } | undefined {
  const at = data.indexOf('@');
  const revision = Number(data.slice(0, at));
  return at > 0 && Number.isSafeInteger(revision) && revision >= 0 ? { stream: data.slice(at + 1), revision } : undefined;
}

/** The reply for one event of a stream, when a reader of that stream would get it. */
export function readableFrame(store: EventStore, name: string, revision: number): Buffer | undefined {
  const stream = store.streams.get(name);
  const head = stream.committed;
  if (!isThere(head) || store.isGone(stream) || revision < firstReadable(head) || revision > head.last) return undefined;
  const found = store.find(stream, revision);
  if (found === undefined || found.block.createdMs(found.row) < oldestReadable(head, Date.now())) return undefined;
  return found.block.frame(found.row);
}
