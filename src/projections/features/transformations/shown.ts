import { run } from '../../../domain/features/transformations/program.js';
import type { TrainingColumn } from '../history/training-set.js';
import type { AnsweredFeature } from '../online/read.js';
import { compute } from './compute.js';
import type { Derived } from './plan.js';

/** The columns that an answer shows, computed from those that were read. */
export function shownColumns({ runs, shown }: Derived, rows: number, read: readonly AnsweredFeature[]): AnsweredFeature[] {
  const computed = runs.map(({ program, inputs }) => compute(program, rows, inputs.map((at) => read[at]!), new Map()));
  return shown.map((column) => {
    if (typeof column === 'number') return read[column]!;
    const { name, type, run: at, output } = column;
    return { name, group: runs[at]!.name, type, ...computed[at]![output]! };
  });
}

/** The same of a training set, whose cells have no statuses. */
export function shownCells({ runs, shown }: Derived, rows: number, read: readonly TrainingColumn[]): TrainingColumn[] {
  const computed = runs.map(({ program, inputs }) => run(program, rows, inputs.map((at) => Array.from({ length: rows }, (_, row) => read[at]!.at(row) as never))));
  return shown.map((column) => {
    if (typeof column === 'number') return read[column]!;
    const values = computed[column.run]![column.output]!;
    return { name: column.name, type: column.type, at: (row) => values[row]! };
  });
}
