import type { BlockHead, ReadableBlock } from '../../../domain/features/chunk.js';
import type { EntityDeleted } from './events.js';
import { isKnown, type KnownAt, type Written } from './known.js';

/** Whose history a read wants, and what of it counts. */
export interface Told {
  /** The version of the group. */
  readonly version: number;
  readonly known: KnownAt;
  /** Whether rows written for online reads alone count. */
  readonly onlineToo: boolean;
}

/** An event of a group's history, or what a read wants of it. */
export type ToldEvent = EntityDeleted | (Written & { readonly block: BlockHead & ReadableBlock });

/** What is made of a group's history, told in the order of the log. */
export interface HistoryReader {
  add(block: ReadableBlock, recordedAtUs: number): void;
  delete(keys: readonly string[], recordedAtUs: number): void;
  erase(keys: readonly string[]): void;
}

/**
 * Tells a join what an event means to it. A deletion that was not known yet at the moments asked for hides no row, but
 * what was deleted is not shown again either: it erases the values.
 */
export function tell(join: HistoryReader, event: ToldEvent, told: Told): void {
  if ('deleted' in event) {
    if (!concerns(event, told.version)) return;
    if (isKnown(told.known, event)) join.delete([event.deleted.key], event.recordedAtUs);
    else join.erase([event.deleted.key]);
  } else if (isKnown(told.known, event) && countsFor(event.block, told)) join.add(event.block, event.recordedAtUs);
}

/** Whether a deletion hides rows of a version: those of versions made after it belong to nobody who was deleted. */
export const concerns = ({ deleted }: EntityDeleted, version: number): boolean => version <= deleted.version;

/** Whether rows belong to a version's history; rows written for online reads alone mostly do not. */
export const countsFor = (block: BlockHead, { version, onlineToo }: Pick<Told, 'version' | 'onlineToo'>): boolean => block.version === version && (onlineToo || block.mode !== 'ONLINE');
