import { isStringColumn, type Column } from '../../domain/features/chunk.js';
import { referenceOf } from '../../domain/features/reference.js';
import type { FeatureGroupDefinition } from '../../domain/features/state.js';
import type { Values } from '../../domain/features/transformations/expressions/typed.js';
import { run } from '../../domain/features/transformations/program.js';
import { readable, type ReadableTransformation } from '../../domain/features/transformations/readable.js';
import { plainValues } from './incoming.js';

/** A feature that is computed as rows are written. */
export interface ComputedFeature {
  /** The output that it is: `usage@1:share`. */
  readonly by: string;
  /** Its values, from the columns of the features that stand before it. */
  column(before: ReadonlyMap<string, Column | null>, rows: number): readonly unknown[];
}

/** Looks up a version of a transformation, which never changes. */
export type TransformationOf = (project: string, named: string) => Promise<ReadableTransformation>;

export const noTransformation: TransformationOf = async (project, named) => readable(project, named, { status: 'absent' });

/** The computed features of a group, by name. */
export async function computedFeaturesOf({ project, features }: FeatureGroupDefinition, transformationOf: TransformationOf): Promise<ReadonlyMap<string, ComputedFeature>> {
  const computed = features.flatMap(({ name, transformation: by }) => (by === undefined ? [] : [{ name, by }]));
  if (computed.length === 0) return new Map();
  return new Map(
    await Promise.all(
      computed.map(async ({ name, by }): Promise<[string, ComputedFeature]> => {
        const { name: named, feature } = referenceOf(by);
        const { program } = await transformationOf(project, named);
        const output = program.outputs.findIndex((one) => one.name === feature);
        return [name, { by, column: (before, rows) => Array.from(run(program, rows, program.inputs.map((input) => valuesOf(before.get(referenceOf(input.feature).feature!))))[output]!) }];
      }),
    ),
  );
}

/** Undefined for a feature that no row gives. */
function valuesOf(column: Column | null | undefined): Values | undefined {
  if (column === null || column === undefined) return undefined;
  return isStringColumn(column) ? (plainValues(column) as Values) : column;
}
