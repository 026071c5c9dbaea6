import { requirePermission } from '../../commands/kit/execute.js';
import { chunksOf } from '../../projections/features/chunks/index-of-chunks.js';
import { readAsOf, type AsOfAnswer, type AsOfRequest } from '../../projections/features/history/as-of.js';
import { historical, type HistoricalAnswer, type HistoricalQuestion } from '../../projections/features/history/historical.js';
import { requireAsked, type Asked } from '../../projections/features/history/selection.js';
import { sharedReplay } from '../../projections/features/history/shared-replay.js';
import { withoutRows, type TrainingSet } from '../../projections/features/history/training-set.js';
import type { Core } from '../core.js';
import type { WireContext } from '../operations.js';

/** A training set whose first table is there, so that whatever was to be refused has been; where there are no rows it has the columns alone. */
export interface BegunAnswer extends HistoricalAnswer {
  readonly first: TrainingSet;
  readonly more: AsyncIterator<TrainingSet>;
}

/** The reads of history, the same for all wires. */
export interface FeatureHistory {
  readAsOf(request: AsOfRequest, context: WireContext): Promise<AsOfAnswer>;
  historical(question: HistoricalQuestion, context: WireContext): Promise<BegunAnswer>;
}

const histories = new WeakMap<Core, FeatureHistory>();

/** The history of a platform; made once, so that all wires share its cache. */
export function featureHistory(core: Core): FeatureHistory {
  let history = histories.get(core);
  if (!history) histories.set(core, (history = makeHistory(core)));
  return history;
}

function makeHistory(core: Core): FeatureHistory {
  const replay = () => sharedReplay(core.eventStore);
  const admit = async (question: Asked & { project: string }, context: WireContext) => {
    requirePermission({ permission: 'features.read' }, question.project, context);
    requireAsked(question);
    // The log is read as it stands, so no view has to be waited for; a position that is none is refused all the same.
    await core.awaitPosition([], context);
  };
  return {
    async readAsOf(request, context) {
      await admit(request, context);
      return readAsOf(replay(), request, context.signal, (...asked) => chunksOf(core.pool, ...asked));
    },
    async historical(question, context) {
      await admit(question, context);
      const answer = await historical(replay(), question, context.signal);
      const more = answer.tables[Symbol.asyncIterator]();
      const { value: first, done } = await more.next();
      return { ...answer, first: done ? withoutRows(answer.columns) : first, more };
    },
  };
}

/** All tables of an answer. Leaving early stops the reading. */
export async function* tablesOf({ first, more }: BegunAnswer): AsyncGenerator<TrainingSet> {
  try {
    yield first;
    for (let next = await more.next(); !next.done; next = await more.next()) yield next.value;
  } finally {
    await more.return?.();
  }
}
