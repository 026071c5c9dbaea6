import type { FeatureSpec } from '../../../domain/features/definition.js';
import { referenceOf } from '../../../domain/features/reference.js';
import type { FeatureGroupDefinition } from '../../../domain/features/state.js';
import type { ReadableTransformation } from '../../../domain/features/transformations/readable.js';
import type { FieldViolation } from '../../../domain/kit/index.js';
import type { Named } from '../transformations/named.js';
import type { ComputedColumn, PlannedRun, PlannedWindow } from '../transformations/plan.js';
import type { Alias, Plan, PlannedColumn, PlannedJoin, Selection } from './selection.js';

type GrowingJoin = PlannedJoin & { readonly features: string[] };

/** A plan in the making: shown column by column, with whatever is wrong on the way. */
export class Planning {
  readonly faults: FieldViolation[] = [];
  private readonly joins = new Map<string, GrowingJoin>();
  private readonly columns: PlannedColumn[] = [];
  private readonly runs = new Map<string, PlannedRun>();
  private readonly shown: (number | ComputedColumn)[] = [];
  /** The columns that there are, each with what it is of. */
  private readonly taken: Map<string, string>;

  constructor(
    private readonly selection: Omit<Selection, 'features'>,
    private readonly named: Named,
    requestColumns: Iterable<string>,
  ) {
    this.taken = new Map([...requestColumns].map((column) => [column, 'the rows']));
  }

  /** Takes up the columns that a reference stands for, the one at a place in the request. */
  show(text: string, at: number): void {
    const { name, feature } = referenceOf(text);
    const group = groupOf(name, this.selection.aliases);
    const transformation = this.named.transformations.get(group);
    if (transformation) this.showOutputs(name, feature, transformation, at);
    else this.showFeatures(name, feature, this.named.definitions.get(group)!, at);
  }

  plan(): Plan {
    const [joins, runs] = [[...this.joins.values()], [...this.runs.values()]];
    return { joins, columns: this.columns, ...(runs.length > 0 && { derived: { runs, windows: windowsOf(runs, this.columns, joins), shown: this.shown } }) };
  }

  private showFeatures(name: string, feature: string | undefined, definition: FeatureGroupDefinition, at: number): void {
    const join = this.join(name, definition);
    const known = definition.features.filter((spec) => feature === undefined || spec.name === feature);
    if (known.length === 0 && feature !== undefined) this.fault(at, `names ${feature}, which ${definition.group} does not have`);
    for (const spec of known) this.shown.push(this.read(join, this.columnName(name, spec.name, at), spec));
  }

  private showOutputs(name: string, feature: string | undefined, transformation: ReadableTransformation, at: number): void {
    const outputs = transformation.program.outputs.map((output, place) => ({ ...output, place })).filter((output) => feature === undefined || output.name === feature);
    if (outputs.length === 0) this.fault(at, `names ${feature}, which ${transformation.name} does not give`);
    if (!this.runs.has(name)) this.runs.set(name, this.run(name, transformation, at));
    const run = [...this.runs.keys()].indexOf(name);
    for (const output of outputs) this.shown.push({ name: this.columnName(name, output.name, at), type: output.type, run, output: output.place });
  }

  /** A use of a transformation: its inputs are read, and not shown. */
  private run(name: string, { name: transformation, program }: ReadableTransformation, at: number): PlannedRun {
    // An alias of a transformation says where the keys of its inputs are, so those are joined apart.
    const aliased = this.selection.aliases.some(({ alias }) => alias === name);
    const inputs = program.inputs.map(({ feature: text, type }) => {
      const { name: group, feature } = referenceOf(text);
      const definition = this.named.definitions.get(group)!;
      const spec = definition.features.find((one) => one.name === feature);
      if (spec?.type !== type) this.fault(at, `names ${transformation}, which takes ${text} as ${type}; it is ${spec ? `${spec.type} now` : 'not there any more'}`);
      const join = aliased ? this.join(`${name}>${group}`, definition, name) : this.join(group, definition);
      return this.read(join, '', { name: feature!, type });
    });
    return { name, transformation, program, inputs };
  }

  private join(name: string, definition: FeatureGroupDefinition, keysNamed = name): GrowingJoin {
    let join = this.joins.get(name);
    if (!join) {
      const keyColumns = new Map(Object.entries(this.selection.aliases.find(({ alias }) => alias === keysNamed)?.keyColumns ?? {}));
      this.joins.set(name, (join = { name, definition, features: [], keys: definition.entities.map((key) => ({ ...key, column: keyColumns.get(key.name) ?? key.name })) }));
    }
    return join;
  }

  /** The place of a column that is read from a join. */
  private read(join: GrowingJoin, column: string, { name, type, constraints }: Pick<FeatureSpec, 'name' | 'type'> & Partial<FeatureSpec>): number {
    return this.columns.push({ name: column, type, dimensions: constraints?.dimensions, join: [...this.joins.keys()].indexOf(join.name), feature: join.features.push(name) - 1 }) - 1;
  }

  private columnName(name: string, feature: string, at: number): string {
    const { fullNames, service } = this.selection;
    const column = fullNames ? `${name}__${feature}` : feature;
    const other = this.taken.get(column);
    // Never one for the other: a feature registered later must not take the place of the one that a model knows.
    if (other !== undefined) this.fault(at, `makes a second column ${column} beside that of ${other}; ${fullNames ? 'rename the other one' : service ? 'ask for full names, or change the service' : 'ask for full names'}`);
    this.taken.set(column, name);
    return column;
  }

  private fault(at: number, description: string): void {
    this.faults.push({ field: `features[${at}]`, description });
  }
}

/** The outputs that are windows, with the feature that each looks at; one that counts rows is of the group of the first input. */
const windowsOf = (runs: readonly PlannedRun[], columns: readonly PlannedColumn[], joins: readonly PlannedJoin[]): PlannedWindow[] =>
  runs.flatMap(({ program, inputs }, run) =>
    program.outputs.flatMap(({ way }, output) => {
      if (!('window' in way)) return [];
      const { join, feature } = columns[inputs[way.window.input ?? 0]!]!;
      return [{ run, output, join, spec: way.window, ...(way.window.input !== undefined && { feature: joins[join]!.features[feature]! }) }];
    }),
  );

/** The group, or transformation, that a name in a reference stands for. */
export const groupOf = (name: string, aliases: readonly Alias[]): string => aliases.find(({ alias }) => alias === name)?.group ?? name;
