import type { Pool } from 'pg';
import { pipeline, type Pipeline } from '../../../domain/features/pipelines/state.js';
import { groupNamed, referenceOf } from '../../../domain/features/reference.js';
import { featureGroup, type FeatureGroup } from '../../../domain/features/state.js';
import { featureService, type FeatureService } from '../../../domain/features/services/state.js';
import { featureGroupStream, featureServiceStream, pipelineStream, trainingSetStream, transformationStream } from '../../../domain/features/streams.js';
import { trainingSet, type TrainingSetState } from '../../../domain/features/training-sets/state.js';
import { transformation, type Transformation } from '../../../domain/features/transformations/state.js';
import type { Decider } from '../../../domain/kit/index.js';
import { evolveStored } from '../../../platform/eventstore/decode-stored.js';
import { comparePositions, parsePosition, type EventStore } from '../../../platform/eventstore/port.js';
import { rowsAt } from '../../kit/as-of.js';

/** What was defined in a project at a place in the log, by name. */
export interface Definitions {
  readonly groups: ReadonlyMap<string, FeatureGroup>;
  readonly transformations: ReadonlyMap<string, Transformation>;
  readonly pipelines: ReadonlyMap<string, Pipeline>;
  readonly services: ReadonlyMap<string, FeatureService>;
  readonly trainingSets: ReadonlyMap<string, TrainingSetState>;
  /** Groups of other projects that these name, as `fraud/cards`, where they are shared now. */
  readonly shared: ReadonlyMap<string, FeatureGroup>;
}

export interface Where {
  readonly pool: Pool;
  readonly eventStore: EventStore;
  /** The position up to which the log counts; all of it where it is left out. */
  readonly asOf?: string;
  readonly signal?: AbortSignal;
}

/** Streams read at the same time. */
const atOnce = 16;

/**
 * The definitions of a project, folded from their own few events up to a place in the log. Read models only say which
 * names there are; what they meant then comes from the events.
 */
export async function definitionsAt(project: string, where: Where): Promise<Definitions> {
  const [groups, transformations, pipelines, services, trainingSets] = await Promise.all([
    folds(where, await names(where, 'feature_groups', '"group"', project), featureGroup, (name) => featureGroupStream(project, name)),
    folds(where, await names(where, 'transformations', 'transformation', project), transformation, (name) => transformationStream(project, name)),
    folds(where, await names(where, 'pipelines', 'pipeline', project), pipeline, (name) => pipelineStream(project, name)),
    folds(where, await names(where, 'feature_services', 'service', project), featureService, (name) => featureServiceStream(project, name)),
    folds(where, await names(where, 'training_sets', 'training_set', project), trainingSet, (name) => trainingSetStream(project, name)),
  ]);
  return { groups, transformations, pipelines, services, trainingSets, shared: await sharedWith(project, foreignNames(project, services, trainingSets), where) };
}

async function names({ pool, asOf }: Where, table: string, column: string, project: string): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(`select ${column} as name from ${rowsAt(table, asOf)} where project = $1 order by 1`, [project]);
  return rows.map(({ name }) => name);
}

async function folds<State extends { readonly status: string }>(where: Where, all: readonly string[], decider: Decider<State>, streamOf: (name: string) => string): Promise<Map<string, State>> {
  const found = new Map<string, State>();
  const left = all.values();
  await Promise.all(
    Array.from({ length: Math.min(atOnce, all.length) }, async () => {
      for (const name of left) found.set(name, await foldAt(where, decider, streamOf(name)));
    }),
  );
  return new Map(all.filter((name) => found.get(name)!.status !== 'absent').map((name) => [name, found.get(name)!]));
}

function foreignNames(project: string, services: Definitions['services'], trainingSets: Definitions['trainingSets']): string[] {
  const named = [
    ...[...services.values()].flatMap((state) => (state.status === 'absent' ? [] : state.definition.features.map((text) => referenceOf(text).name))),
    ...[...trainingSets.values()].flatMap((state) => (state.status === 'absent' ? [] : state.saved.answer.groups)),
  ];
  const groups = named.map((text) => groupNamed(project, text)).filter((one) => one.project !== project);
  return [...new Set(groups.map((one) => `${one.project}/${one.group}`))];
}

/** Who may see them is a matter of now, what they were of then. */
async function sharedWith(project: string, all: readonly string[], where: Where): Promise<Map<string, FeatureGroup>> {
  const streamOf = (name: string) => featureGroupStream(name.slice(0, name.indexOf('/')), name.slice(name.indexOf('/') + 1));
  const now = await folds({ ...where, asOf: undefined }, all, featureGroup, streamOf);
  const shared = all.filter((name) => {
    const state = now.get(name);
    return state && state.status !== 'absent' && state.sharedWith.includes(project);
  });
  return folds(where, shared, featureGroup, streamOf);
}

/** What a stream added up to at a place in the log. */
export async function foldAt<State>({ eventStore, asOf, signal }: Where, decider: Decider<State>, stream: string): Promise<State> {
  const until = asOf === undefined ? undefined : parsePosition(asOf);
  let state = decider.initialState;
  for await (const event of eventStore.readStream(stream, { signal })) {
    if (until && comparePositions(event.position, until) > 0) break;
    state = evolveStored(decider, state, event);
  }
  return state;
}
