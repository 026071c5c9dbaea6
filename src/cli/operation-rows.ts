import type { Operation } from '../api/core.js';
import { whole } from './progress.js';

/** Operations as the rows of a table. */
export const operationRows = (operations: readonly Operation[]): Record<string, unknown>[] =>
  operations.map(({ metadata: { kind, view, actor, state, startedAt, progress, comparison }, error }) => ({
    view, what: kind, state, by: actor, since: startedAt,
    phase: state === 'running' || state === 'paused' ? progress?.phase : undefined,
    events: progress && whole.format(progress.events),
    differing: comparison && whole.format(comparison.tables.reduce((sum, { added, removed, changed }) => sum + added + removed + changed, 0)),
    error: error?.message,
  }));
