import type { z } from 'zod';
import { recordTrainingSet, trainingSetLabels } from '../../commands/training-sets.js';
import type { CommandReply } from '../../commands/kit/command.js';
import { requirePermission } from '../../commands/kit/execute.js';
import { commandIdOf } from '../../commands/kit/metadata.js';
import { parseInput } from '../../commands/kit/validate.js';
import { requireSameQuestion } from '../../domain/features/training-sets/decisions.js';
import { trainingSet, type SavedTrainingSet, type TrainingSetState } from '../../domain/features/training-sets/state.js';
import { trainingSetStream } from '../../domain/features/streams.js';
import { isPassing, Refusal } from '../../domain/kit/index.js';
import { formatPosition } from '../../platform/eventstore/port.js';
import { historical, type HistoricalQuestion } from '../../projections/features/history/historical.js';
import { sharedReplay } from '../../projections/features/history/shared-replay.js';
import { withoutRows, type TrainingSet } from '../../projections/features/history/training-set.js';
import { requireAsked } from '../../projections/features/history/selection.js';
import { ClaimedContents } from '../../projections/features/training-sets/claimed-contents.js';
import { loadTrainingSet } from '../../projections/features/training-sets/load.js';
import { isNamedBySavedSets } from '../../projections/features/training-sets/named-contents.js';
import { askedHash } from '../../projections/features/training-sets/question.js';
import { rowsOf, type SavedRows } from '../../projections/features/training-sets/rows.js';
import { keepEntityRows, saveAnswer } from '../../projections/features/training-sets/save.js';
import type { Core } from '../core.js';
import type { WireContext } from '../operations.js';

/** How long a save that failed waits to learn whether its files are needed; the job looks again later. */
const removalWaitMs = 2_000;

type Labels = z.output<typeof trainingSetLabels>;

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
  const contents = new ClaimedContents(core.trainingSets, isNamedBySavedSets(core, removalWaitMs));
  const made = await contents.orRemove(() => answered(core, { labels, question, storeRows }, contents, context), () => true);
  if ('earlier' in made) {
    await contents.release();
    return made.earlier;
  }
  // Whatever is no final refusal may have put it into the log all the same.
  const reply = await contents.orRemove(() => core.execute(recordTrainingSet, made.saved, context), (error) => error instanceof Refusal && !isPassing(error));
  // Another save of the same name may have come first, with rows of its own.
  await (reply.changed ? contents.release() : contents.remove());
  return replyOf(reply, await loadTrainingSet(core.eventStore, labels.project, labels.trainingSet));
}

/** What is to be recorded, or the reply of a save under the name that came before. */
async function answered(core: Core, { labels, question, storeRows }: Omit<SaveRequest, 'labels'> & { labels: Labels }, contents: ClaimedContents, context: WireContext): Promise<{ saved: SavedTrainingSet } | { earlier: SaveReply }> {
  const entityRows = await keepEntityRows(question, contents);
  const asked = askedHash(question, entityRows, storeRows);
  const stream = trainingSetStream(labels.project, labels.trainingSet);
  const { state, revision, position } = await core.aggregates.load<TrainingSetState>(trainingSet, stream);
  requireSameQuestion({ ...labels, asked }, state);
  if (state.status === 'saved') return { earlier: replyOf({ commandId: commandIdOf(context), position: formatPosition(position), etag: `${revision}`, changed: false }, state.saved) };
  const answer = await historical(sharedReplay(core.eventStore), question, context.signal);
  return { saved: { ...labels, asked, ...(await saveAnswer(question, answer, entityRows, storeRows ? contents : undefined)) } };
}

/** The rows of a saved training set; where there are none, one table says the columns. */
export async function trainingSetRows(core: Core, { project, trainingSet: name }: { project: string; trainingSet: string }, context: WireContext): Promise<SavedRows> {
  requirePermission({ permission: 'features.read' }, project, context);
  const saved = await loadTrainingSet(core.eventStore, project, name);
  const rows = await rowsOf(saved, sharedReplay(core.eventStore), core.trainingSets, context.signal);
  return { ...rows, tables: orColumns(rows) };
}

async function* orColumns({ tables, columns }: SavedRows): AsyncGenerator<TrainingSet> {
  let none = true;
  for await (const table of tables) {
    none = false;
    yield table;
  }
  if (none) yield withoutRows(columns);
}

const replyOf = ({ commandId, position, etag, changed }: CommandReply, { answer, question }: SavedTrainingSet): SaveReply => ({
  commandId, position, etag, changed,
  rows: answer.rows,
  hash: answer.hash,
  knownAt: question.knownAt.position,
});
