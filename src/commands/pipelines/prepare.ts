import type { PipelineStep } from '../../domain/features/pipelines/definition.js';
import type { PipelineVersion } from '../../domain/features/pipelines/state.js';
import { referenceOf } from '../../domain/features/reference.js';
import type { FeatureGroupDefinition } from '../../domain/features/state.js';
import type { EventStore } from '../../platform/eventstore/port.js';
import { defaultTimeColumn } from '../../projections/features/history/entity-times.js';
import { groupAt } from '../../projections/features/history/group-at.js';
import { pinned, type Pinned } from '../../projections/features/history/pinned.js';
import { planOf, type Plan } from '../../projections/features/history/selection.js';

/** A pipeline ready to be applied, with everything that it names as the log has it now. */
export interface PreparedPipeline extends Pick<Pinned, 'known' | 'end'> {
  readonly source: FeatureGroupDefinition;
  readonly target: FeatureGroupDefinition;
  readonly plan: Plan;
  /** The steps with the versions that they mean now. */
  readonly steps: readonly PipelineStep[];
  /** Which of the plan's columns fills which feature of the target. */
  readonly columns: readonly { readonly feature: string; readonly place: number }[];
}

/** The groups, the plan, and which of its columns fills which feature, all as the log has them now. */
export async function preparePipeline(eventStore: EventStore, project: string, { source, target, steps }: PipelineVersion, signal?: AbortSignal): Promise<PreparedPipeline> {
  const features = [...new Set(steps.map(({ from }) => from))];
  const question = { project, features, fullNames: true, aliases: [], known: {} };
  const { known, end, definitions, transformations } = await pinned(eventStore, question, signal);
  const [from, to] = await Promise.all([source, target].map((group) => groupAt(eventStore, project, group, known.position, signal)));
  const plan = planOf(question, definitions, [...from!.entities.map(({ name }) => name), defaultTimeColumn], transformations);
  const exactly = ({ feature, from: text }: PipelineStep): PipelineStep => {
    const { name, feature: part } = referenceOf(text);
    const group = definitions.get(name);
    return { feature, from: `${group ? `${group.group}@${group.version}` : transformations.get(name)!.name}:${part}` };
  };
  return { source: from!, target: to!, known, end, plan, steps: steps.map(exactly), columns: steps.map(({ feature, from: text }) => ({ feature, place: features.indexOf(text) })) };
}
