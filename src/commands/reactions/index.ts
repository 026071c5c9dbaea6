import type { Reaction } from './define.js';
import { measureRequestedDrift } from './measure-requested-drift.js';
import { runAppliedPipeline } from './run-applied-pipeline.js';

/** The reactions, one line each. */
export const reactions: readonly Reaction[] = [measureRequestedDrift, runAppliedPipeline];
