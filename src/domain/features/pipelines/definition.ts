import { z } from 'zod';
import { resourceName } from '../../kit/index.js';

const reference = z.string().regex(/^[a-z][a-z0-9_]{0,62}(@[1-9][0-9]{0,5})?:[a-z][a-z0-9_]{0,62}$/, 'takes transformation:output or group:feature, with @version where one is meant');

/** One feature of the target, and what it is filled from: an output of a transformation, or a feature as it is. */
export const pipelineStep = z.object({ feature: resourceName, from: reference }).meta({ id: 'PipelineStep' });
export type PipelineStep = z.output<typeof pipelineStep>;

/** What flows where: for every row of the source the steps are computed as of its time, and written to the target. */
export interface PipelineFlow {
  /** A group, or `group@2`. */
  readonly source: string;
  readonly steps: readonly PipelineStep[];
  readonly target: string;
}
