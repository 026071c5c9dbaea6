import type { Program } from '../../../domain/features/transformations/program.js';
import type { FeatureType } from '../../../domain/features/values.js';

/** One use of a transformation in a read. */
export interface PlannedRun {
  /** The transformation, or its alias. */
  readonly name: string;
  /** With its version. */
  readonly transformation: string;
  readonly program: Program;
  /** The plan's column of each input. */
  readonly inputs: readonly number[];
}

/** A column that is computed: an output of a run. */
export interface ComputedColumn {
  readonly name: string;
  readonly type: FeatureType;
  readonly run: number;
  readonly output: number;
}

/** What an answer with computed columns shows: in order, columns of the plan by their place, or computed ones. */
export interface Derived {
  readonly runs: readonly PlannedRun[];
  readonly shown: readonly (number | ComputedColumn)[];
}
