import type { FeatureType } from '../values.js';
import type { SavedTrainingSet } from './state.js';

/** A column of a training set that holds a feature of a group. */
export interface GroupColumn {
  /** The name of the column. */
  readonly name: string;
  readonly feature: string;
  readonly type: FeatureType;
}

/** The columns that hold features of a group, whichever version of it and under whatever alias. */
export function columnsOfGroup(columns: SavedTrainingSet['answer']['columns'], { project, group }: { project: string; group: string }): GroupColumn[] {
  return columns.flatMap(({ name, type, of }) => {
    const [, ofProject, ofGroup, feature] = /^([^/]+)\/([^@]+)@[^:]+:(.+)$/.exec(of ?? '') ?? [];
    return type !== undefined && ofProject === project && ofGroup === group ? [{ name, type, feature: feature! }] : [];
  });
}
