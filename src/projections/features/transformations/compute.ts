import type { Values } from '../../../domain/features/transformations/expressions/typed.js';
import { run, type Program } from '../../../domain/features/transformations/program.js';
import type { FeatureValue } from '../../../domain/features/values.js';
import { deletedStatus, type StatusCode } from '../online/status.js';

/** The values of a column and what can be said of them. */
export interface ValuesAndStatuses {
  readonly values: readonly (FeatureValue | null)[];
  readonly statuses: Uint8Array;
}

/** The outputs of a transformation with their statuses, from those of its inputs and of its windows. */
export function compute(program: Program, rows: number, inputs: readonly ValuesAndStatuses[], windows: ReadonlyMap<number, ValuesAndStatuses>): ValuesAndStatuses[] {
  const values = run(program, rows, inputs.map((input) => input.values), new Map([...windows].map(([output, window]) => [output, window.values])));
  return program.outputs.map(({ uses, way }, at) => {
    if ('window' in way) return windows.get(at)!;
    const from = uses.map((place) => (place < inputs.length ? inputs[place]! : windows.get(place - inputs.length)!).statuses);
    return withStatuses(values[at]!, rows, from);
  });
}

function withStatuses(computed: Values, rows: number, from: readonly Uint8Array[]): ValuesAndStatuses {
  const values = Array.from(computed);
  const statuses = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    statuses[row] = statusOfComputed(values[row]!, row, from);
    // What was computed from a deleted value tells of it.
    if (statuses[row] === deletedStatus) values[row] = null;
  }
  return { values, statuses };
}

/** As old as the oldest of what it is made of; not there where nothing of that is. */
function statusOfComputed(value: FeatureValue | null, row: number, from: readonly Uint8Array[]): StatusCode {
  const any = (status: StatusCode) => from.some((statuses) => statuses[row] === status);
  if (any(deletedStatus)) return deletedStatus;
  if (value !== null) return any(4) ? 4 : 1;
  return from.length > 0 && from.every((statuses) => statuses[row] === 3) ? 3 : 2;
}
