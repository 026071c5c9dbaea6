import { featureEntityDeleted } from '../../../domain/features/deletion.js';
import { featureRowsPrefix } from '../../../domain/features/streams.js';
import type { SavedTrainingSet } from '../../../domain/features/training-sets/state.js';
import type { Contents } from '../../../platform/contents.js';
import { parsePosition, type EventStore } from '../../../platform/eventstore/port.js';
import { historical, type HistoricalAnswer, type HistoricalQuestion } from '../history/historical.js';
import { pinned } from '../history/pinned.js';
import type { Replay } from '../history/replay.js';
import { questionOf } from './question.js';
import { readRowFile } from './row-file.js';

/** The rows of a saved training set. */
export interface SavedRows extends Pick<HistoricalAnswer, 'tables' | 'known' | 'columns'> {
  /** Whether an entity of its groups was deleted since, so that rows may lack values that they had. */
  readonly deletedSince: boolean;
  /** The column with the times of the rows, where the caller named it. */
  readonly timeColumn?: string;
}

/**
 * The rows as they were saved: those stored, or those that the log gives again. What was deleted since is hidden in stored
 * rows too, so they are then read from the log.
 */
export async function rowsOf(saved: SavedTrainingSet, replay: Replay, contents: Contents, signal?: AbortSignal): Promise<SavedRows> {
  const question = await questionOf(saved, contents);
  const deletedSince = await wasDeletedSince(replay.eventStore, saved, signal);
  const timeColumn = saved.question.entityRows?.timeColumn;
  const stored = saved.answer.stored && !deletedSince && (await contents.has(saved.answer.hash));
  if (!stored) return { ...(await historical(replay, question, signal)), deletedSince, timeColumn };
  const { known } = await readable(replay.eventStore, question, signal);
  return { known, columns: saved.answer.columns, tables: readRowFile(contents.pathOf(saved.answer.hash)), deletedSince, timeColumn };
}

/** Refuses a question whose groups may not be read any more, as asking it again would. */
const readable = (eventStore: EventStore, question: HistoricalQuestion, signal?: AbortSignal) => pinned(eventStore, question, signal);

/** Whether any entity was deleted since of the groups that the rows come from. */
async function wasDeletedSince(eventStore: EventStore, { answer }: SavedTrainingSet, signal?: AbortSignal): Promise<boolean> {
  const streams = answer.groups.map(streamsOf);
  const since = eventStore.readLog({ from: parsePosition(answer.deletionsUpTo), filter: { eventTypePrefixes: [featureEntityDeleted.type] }, signal });
  for await (const { stream } of since) if (streams.some((prefix) => stream.startsWith(prefix))) return true;
  return false;
}

/** What the streams begin with that hold the rows of `project/group@version`. */
function streamsOf(named: string): string {
  const [, project, group] = /^([^/]+)\/([^@]+)@/.exec(named)!;
  return featureRowsPrefix(project, group);
}
