import type { Program, WindowSpec } from '../../../domain/features/transformations/program.js';
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

/** An output of a run that looks at the rows of a join's group. */
export interface PlannedWindow {
  readonly run: number;
  readonly output: number;
  readonly join: number;
  /** Left out where rows are counted. */
  readonly feature?: string;
  readonly spec: WindowSpec;
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
  readonly windows: readonly PlannedWindow[];
  readonly shown: readonly (number | ComputedColumn)[];
}
