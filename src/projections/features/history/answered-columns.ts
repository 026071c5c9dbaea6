import type { FeatureType } from '../../../domain/features/values.js';
import type { Plan, PlannedColumn } from './selection.js';

/** A column of an answer. */
export interface AnsweredColumn {
  readonly name: string;
  readonly type?: FeatureType;
  /** The number of elements that each of its lists has, where the feature demands one. */
  readonly dimensions?: number;
  /** What it holds: `project/group@version:feature`, or an output of a transformation written likewise; nothing for a column of the request. */
  readonly of?: string;
}

/** The columns that a plan shows, and where each comes from. */
export function answeredColumns(project: string, { joins, columns, derived }: Plan): AnsweredColumn[] {
  const joined = ({ name, type, dimensions, join, feature }: PlannedColumn): AnsweredColumn => {
    const { definition, features } = joins[join]!;
    return { name, type, dimensions, of: `${definition.project}/${definition.group}@${definition.version}:${features[feature]}` };
  };
  if (!derived) return columns.map(joined);
  return derived.shown.map((shown) => {
    if (typeof shown === 'number') return joined(columns[shown]!);
    const { transformation, program } = derived.runs[shown.run]!;
    return { name: shown.name, type: shown.type, of: `${project}/${transformation}:${program.outputs[shown.output]!.name}` };
  });
}
