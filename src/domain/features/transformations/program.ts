import type { FieldViolation } from '../../kit/index.js';
import { referenceOf } from '../reference.js';
import type { FeatureType } from '../values.js';
import { ways, type TransformationInput, type TransformationOutput, type WindowAggregate } from './definition.js';
import { compileExpression, type Named } from './expressions/compile.js';
import { ExpressionFault } from './expressions/parse.js';
import { isNumber, type Evaluate, type Typed, type Values } from './expressions/typed.js';
import { isStep, StepFault, stepOf } from './steps.js';

/** An aggregate over the rows of an entity, before it is told which rows. */
export interface WindowSpec {
  readonly aggregate: WindowAggregate;
  /** Which input; none counts rows. */
  readonly input?: number;
  readonly durationUs: number;
  readonly type: FeatureType;
}

/** An output ready to be made: computed from the row's own values, or given from outside as a window over rows. */
export interface ProgramOutput {
  readonly name: string;
  readonly type: FeatureType;
  /** What it is made of in the end: places of inputs, and behind them of outputs that are windows. */
  readonly uses: readonly number[];
  readonly way: { readonly evaluate: Evaluate } | { readonly window: WindowSpec };
}

/** A transformation ready to be run. */
export interface Program {
  readonly inputs: readonly TransformationInput[];
  readonly outputs: readonly ProgramOutput[];
}

/** Makes a transformation ready to be run, and says what is wrong with it, field by field. */
export function compileTransformation(inputs: readonly TransformationInput[], outputs: readonly TransformationOutput[]): { program: Program; faults: readonly FieldViolation[] } {
  const faults: FieldViolation[] = [];
  const names = new Names();
  const name = (what: string, field: string, type: FeatureType) => {
    if (names.has(what)) faults.push({ field, description: `is ${what}, which another input or output is called` });
    names.set(what, { type, place: names.size });
  };
  inputs.forEach((input, at) => name(input.name, `inputs[${at}].name`, input.type));
  const usesOf: (readonly number[])[] = inputs.map((_, place) => [place]);
  const made = outputs.map((output, at): ProgramOutput => {
    const field = `outputs[${at}]`;
    const place = inputs.length + at;
    names.used.clear();
    try {
      const { type, ...way } = makeOutput(output, inputs, names);
      if (type === 'NULL') throw new StepFault('expression', 'is null for every row');
      const uses = 'window' in way ? [place] : [...new Set([...names.used].flatMap((used) => usesOf[used]!))];
      usesOf.push(uses);
      name(output.name, `${field}.name`, type);
      return { name: output.name, type, uses, way: 'evaluate' in way ? { evaluate: way.evaluate } : way };
    } catch (error) {
      if (error instanceof ExpressionFault) faults.push({ field: `${field}.expression`, description: error.message });
      else if (error instanceof StepFault) faults.push({ field: `${field}.${error.field}`, description: error.sentence });
      else throw error;
      // Later outputs that use this one are not blamed for it; the type is a guess that nobody sees.
      usesOf.push([]);
      name(output.name, `${field}.name`, 'DOUBLE');
      return { name: output.name, type: 'DOUBLE', uses: [], way: { evaluate: () => null } };
    }
  });
  return { program: { inputs, outputs: made }, faults };
}

/** Names that remember which of them were looked up. */
class Names extends Map<string, Named> {
  readonly used = new Set<number>();

  override get(name: string): Named | undefined {
    const found = super.get(name);
    if (found) this.used.add(found.place);
    return found;
  }
}

type Made = Typed | { readonly type: FeatureType; readonly window: WindowSpec };

function makeOutput(output: TransformationOutput, inputs: readonly TransformationInput[], names: ReadonlyMap<string, Named>): Made {
  const given = ways.filter((way) => output[way] !== undefined);
  const [way] = given;
  if (way === undefined || given.length > 1) throw new StepFault('name', given.length === 0 ? `has nothing to make it by; give one of ${ways.join(', ')}` : `is made in ${given.length} ways, ${given.join(' and ')}; give one of them`);
  if (way === 'expression') return compileExpression(output.expression!, names);
  if (way === 'window') return windowOf(output.window!, inputs);
  if (!isStep(way)) throw new Error(`No way to make ${way}`);
  const found = names.get(output[way]!.input);
  if (found === undefined) throw new StepFault(`${way}.input`, `is ${output[way]!.input}, which is neither an input nor an earlier output`);
  const { type, place } = found;
  try {
    return stepOf(way, { type, evaluate: (columns, row) => columns[place]![row]! }, output[way]!);
  } catch (error) {
    throw error instanceof StepFault ? new StepFault(`${way}.${error.field}`, error.sentence) : error;
  }
}

function windowOf({ aggregate, input, durationSeconds }: NonNullable<TransformationOutput['window']>, inputs: readonly TransformationInput[]): Made {
  const place = input === undefined ? -1 : inputs.findIndex(({ name }) => name === input);
  if (input !== undefined && place < 0) throw new StepFault('window.input', `is ${input}, which is no input; a window looks at rows as they were written`);
  if (input === undefined && aggregate !== 'COUNT') throw new StepFault('window.input', `is needed for ${aggregate}; COUNT alone counts rows`);
  if (input === undefined && new Set(inputs.map(({ feature }) => referenceOf(feature).name)).size > 1) throw new StepFault('window.input', 'is needed, because the inputs are of several groups');
  const type = typeOf(aggregate, input === undefined ? undefined : inputs[place]!.type);
  return { type, window: { aggregate, ...(place >= 0 && { input: place }), durationUs: durationSeconds * 1e6, type } };
}

function typeOf(aggregate: WindowAggregate, input: FeatureType | undefined): FeatureType {
  const number = input !== undefined && isNumber({ type: input } as Typed);
  switch (aggregate) {
    case 'COUNT':
      return 'INT64';
    case 'LAST':
      return input!;
    case 'MIN':
    case 'MAX':
      if (number || input === 'TIMESTAMP') return input!;
      break;
    case 'SUM':
      if (number) return input;
      break;
    case 'MEAN':
      if (number) return 'DOUBLE';
  }
  throw new StepFault('window.input', `is ${input}, of which there is no ${aggregate}`);
}

/** Runs a transformation: `inputs` has a column for each input, `windows` one for each output that is a window. A column for each output comes back; one of nulls for each that needs what is not given. */
export function run({ outputs }: Program, rows: number, inputs: readonly (Values | undefined)[], windows: ReadonlyMap<number, Values> = new Map()): Values[] {
  const nulls = new Array<null>(rows).fill(null);
  const columns: Values[] = inputs.map((column) => column ?? nulls);
  outputs.forEach(({ way }, at) => {
    if ('window' in way) columns.push(windows.get(at) ?? nulls);
    else columns.push(Array.from({ length: rows }, (_, row) => way.evaluate(columns, row)));
  });
  return columns.slice(inputs.length);
}
