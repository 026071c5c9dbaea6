import { recordTrainingSet, trainingSetLabels } from '../../commands/training-sets.js';
import type { CommandReply } from '../../commands/kit/command.js';
import { requirePermission } from '../../commands/kit/execute.js';
import { commandIdOf } from '../../commands/kit/metadata.js';
import { parseInput } from '../../commands/kit/validate.js';
import { requireSameQuestion } from '../../domain/features/training-sets/decisions.js';
import { trainingSet, type SavedTrainingSet, type TrainingSetState } from '../../domain/features/training-sets/state.js';
import { trainingSetStream } from '../../domain/features/streams.js';
import { formatPosition } from '../../platform/eventstore/port.js';
import { historical, type HistoricalQuestion } from '../../projections/features/history/historical.js';
import { sharedReplay } from '../../projections/features/history/shared-replay.js';
import { requireAsked } from '../../projections/features/history/selection.js';
import { loadTrainingSet } from '../../projections/features/training-sets/load.js';
import { askedHash } from '../../projections/features/training-sets/question.js';
import { rowsOf, type SavedRows } from '../../projections/features/training-sets/rows.js';
import { keepEntityRows, saveAnswer } from '../../projections/features/training-sets/save.js';
import type { Core } from '../core.js';
import type { WireContext } from '../operations.js';

/** What is to be saved: a question, a name for it, and whether its rows are kept. */
export interface SaveRequest {
  readonly labels: unknown;
  readonly question: HistoricalQuestion;
  readonly storeRows: boolean;
}

/** What a caller learns of the training set that was saved. */
export interface SaveReply extends CommandReply {
  readonly rows: number;
  readonly hash: string;
  /** The position at which it was answered. */
  readonly knownAt: string;
}

/** Reads a question to its end and saves it with the hash of its rows. A repeat of the question under the same name answers with what was saved. */
export async function saveTrainingSet(core: Core, { labels: given, question, storeRows }: SaveRequest, context: WireContext): Promise<SaveReply> {
  const labels = parseInput(trainingSetLabels, given);
  requirePermission(recordTrainingSet, labels.project, context);
  requireAsked(question);
  await core.executor.requireActiveProject(labels.project);
  const entityRows = await keepEntityRows(question, core.trainingSets);
  const asked = askedHash(question, entityRows, storeRows);
  const stream = trainingSetStream(labels.project, labels.trainingSet);
  const { state, revision, position } = await core.aggregates.load<TrainingSetState>(trainingSet, stream);
  requireSameQuestion({ ...labels, asked }, state);
  if (state.status === 'saved') return replyOf({ commandId: commandIdOf(context), position: formatPosition(position), etag: `${revision}`, changed: false }, state.saved);
  const answer = await historical(sharedReplay(core.eventStore), question, context.signal);
  const saved = { ...labels, asked, ...(await saveAnswer(question, answer, entityRows, storeRows ? core.trainingSets : undefined)) };
  const reply = await core.execute(recordTrainingSet, saved, context);
  return replyOf(reply, await loadTrainingSet(core.eventStore, labels.project, labels.trainingSet));
}

/** The rows of a saved training set. */
export async function trainingSetRows(core: Core, { project, trainingSet: name }: { project: string; trainingSet: string }, context: WireContext): Promise<SavedRows> {
  requirePermission({ permission: 'features.read' }, project, context);
  const saved = await loadTrainingSet(core.eventStore, project, name);
  return rowsOf(saved, sharedReplay(core.eventStore), core.trainingSets, context.signal);
}

const replyOf = ({ commandId, position, etag, changed }: CommandReply, { answer, question }: SavedTrainingSet): SaveReply => ({
  commandId, position, etag, changed,
  rows: answer.rows,
  hash: answer.hash,
  knownAt: question.knownAt.position,
});
