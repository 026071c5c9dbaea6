import type { FeatureGroupDefinition } from '../../../domain/features/state.js';
import type { Plan } from '../history/selection.js';
import type { OnlineRequest } from './read.js';

/** The definition that a name stands for, where it is known at once. */
export type KnownDefinition = (project: string, group: string) => FeatureGroupDefinition | undefined;

interface Remembered {
  readonly definitions: readonly (readonly [name: string, definition: FeatureGroupDefinition])[];
  readonly plan: Plan;
}

/** The most questions whose plans are kept. */
const mostPlans = 1_000;

/** Plans of questions that are asked again and again, each good for as long as its groups are what they were. */
export class RememberedPlans {
  private readonly plans = new Map<string, Remembered>();

  constructor(private readonly known: KnownDefinition) {}

  find(request: OnlineRequest): Plan | undefined {
    const remembered = this.plans.get(keyOf(request));
    // A definition that changes becomes another object.
    return remembered?.definitions.every(([name, definition]) => this.known(request.project, name) === definition) ? remembered.plan : undefined;
  }

  keep(request: OnlineRequest, definitions: ReadonlyMap<string, FeatureGroupDefinition>, plan: Plan): void {
    if (this.plans.size >= mostPlans) this.plans.clear();
    this.plans.set(keyOf(request), { definitions: [...definitions], plan });
  }
}

/** No name that leads to a plan has a line in it, so with their number before them no two questions look alike. */
const keyOf = ({ project, fullNames, features }: OnlineRequest): string => `${features.length}${fullNames ? '+' : '-'}${project}\n${features.length === 1 ? features[0] : features.join('\n')}`;
