import { run } from '../../../domain/features/transformations/program.js';
import type { TrainingColumn } from '../history/training-set.js';
import type { AnsweredFeature } from '../online/read.js';
import { compute, type ValuesAndStatuses } from './compute.js';
import type { Derived, PlannedWindow } from './plan.js';

/** The values of each window of an answer, an entry for each of its rows. */
export type WindowValues = ReadonlyMap<PlannedWindow, ValuesAndStatuses>;

/** The columns that an answer shows, computed from those that were read. */
export function shownColumns(derived: Derived, rows: number, read: readonly AnsweredFeature[], windows: WindowValues): AnsweredFeature[] {
  const { runs, shown } = derived;
  const computed = runs.map(({ program, inputs }, at) => compute(program, rows, inputs.map((column) => plain(read[column]!)), windowsOfRun(derived, at, windows)));
  return shown.map((column) => {
    if (typeof column === 'number') return read[column]!;
    const { name, type, run: at, output } = column;
    return { name, group: runs[at]!.name, type, ...computed[at]![output]! };
  });
}

const plain = ({ values, statuses }: AnsweredFeature): ValuesAndStatuses => ({ values: values instanceof Float64Array ? Array.from(values) : values, statuses });

/** The same of a training set, whose cells have no statuses. */
export function shownCells(derived: Derived, rows: number, read: readonly TrainingColumn[], windows: WindowValues): TrainingColumn[] {
  const { runs, shown } = derived;
  const valuesOf = (column: number) => Array.from({ length: rows }, (_, row) => read[column]!.at(row) as never);
  const computed = runs.map(({ program, inputs }, at) => run(program, rows, inputs.map(valuesOf), new Map([...windowsOfRun(derived, at, windows)].map(([output, { values }]) => [output, values]))));
  return shown.map((column) => {
    if (typeof column === 'number') return read[column]!;
    const values = computed[column.run]![column.output]!;
    return { name: column.name, type: column.type, at: (row) => values[row]! };
  });
}

const windowsOfRun = (derived: Derived, run: number, values: WindowValues): Map<number, ValuesAndStatuses> =>
  new Map(derived.windows.filter((window) => window.run === run).map((window) => [window.output, values.get(window)!]));
