import type { Reaction } from './define.js';
import { measureRequestedDrift } from './measure-requested-drift.js';

/** The reactions, one line each; as long as there are none, nobody follows the log for them. */
export const reactions: readonly Reaction[] = [measureRequestedDrift];
