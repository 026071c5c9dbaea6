import { groupNamed, referenceOf, versionedGroup } from '../../../domain/features/reference.js';
import type { FeatureGroup } from '../../../domain/features/state.js';
import type { Definitions } from './definitions-at.js';
import { idOf, LineageGraph } from './graph.js';

/** Adds one kind of definition: its nodes, and the edges to them and from them. */
type Adder = (graph: LineageGraph, project: string, definitions: Definitions) => void;

/** Everything that has a place in the graph, a function each; a new kind is one more. */
const adders: readonly Adder[] = [addGroups, addShared, addTransformations, addPipelines, addServices, addTrainingSets];

/** The graph of a project's definitions. */
export function lineageOf(project: string, definitions: Definitions): LineageGraph {
  const graph = new LineageGraph();
  for (const add of adders) add(graph, project, definitions);
  return graph;
}

/** Of a group of another project, its versions and features are shown, not where it has them from. */
function addShared(graph: LineageGraph, _project: string, { shared }: Definitions): void {
  for (const [name, state] of shared) {
    const { project, group } = groupNamed('', name);
    addVersions(graph, project, group, state, false);
  }
}

function addGroups(graph: LineageGraph, project: string, { groups }: Definitions): void {
  for (const [group, state] of groups) addVersions(graph, project, group, state, true);
}

function addVersions(graph: LineageGraph, project: string, group: string, state: FeatureGroup, withOrigin: boolean): void {
  if (state.status === 'absent') return;
  const archived = state.status === 'archived';
  for (const { version, features, source } of state.versions) {
    const of = { project, version, archived, promoted: version === state.definition.version };
    const ofVersion = graph.add({ kind: 'FEATURE_GROUP', name: `${group}@${version}`, ...of });
    if (source && withOrigin) graph.connect(graph.add({ kind: 'SOURCE', project, name: `${source.kind}/${source.name}`, archived: false }), ofVersion);
    for (const { name, transformation } of features) {
      const feature = graph.add({ kind: 'FEATURE', name: `${group}@${version}:${name}`, ...of });
      graph.connect(ofVersion, feature);
      if (transformation && withOrigin) graph.connect(featureId(project, transformation), feature);
    }
  }
}

function addTransformations(graph: LineageGraph, project: string, definitions: Definitions): void {
  for (const [transformation, state] of definitions.transformations) {
    if (state.status === 'absent') continue;
    for (const { version, inputs, outputs } of state.versions) {
      const of = { project, version, archived: state.status === 'archived', promoted: version === state.versions.length };
      const ofVersion = graph.add({ kind: 'TRANSFORMATION', name: `${transformation}@${version}`, ...of });
      for (const { feature } of inputs) for (const id of meant(project, feature, definitions)) graph.connect(id, ofVersion);
      for (const { name } of outputs) graph.connect(ofVersion, graph.add({ kind: 'FEATURE', name: `${transformation}@${version}:${name}`, ...of }));
    }
  }
}

/** The rows of its source decide what a pipeline writes, its steps with which values. */
function addPipelines(graph: LineageGraph, project: string, definitions: Definitions): void {
  for (const [pipeline, state] of definitions.pipelines) {
    if (state.status === 'absent') continue;
    const { version, source, steps, target } = state.newest;
    const id = graph.add({ kind: 'PIPELINE', project, name: `${pipeline}@${version}`, version, promoted: true, archived: state.status === 'archived' });
    graph.connect(groupId(project, source, definitions), id);
    for (const { feature, from } of steps) {
      for (const taken of meant(project, from, definitions)) graph.connect(taken, id);
      for (const filled of meant(project, `${target}:${feature}`, definitions)) graph.connect(id, filled);
    }
  }
}

function addServices(graph: LineageGraph, project: string, definitions: Definitions): void {
  for (const [service, state] of definitions.services) {
    if (state.status === 'absent') continue;
    const id = graph.add({ kind: 'FEATURE_SERVICE', project, name: service, archived: state.status === 'archived' });
    for (const text of state.definition.features) for (const feature of meant(project, text, definitions)) graph.connect(feature, id);
  }
}

function addTrainingSets(graph: LineageGraph, project: string, { trainingSets }: Definitions): void {
  for (const [name, state] of trainingSets) {
    if (state.status === 'absent') continue;
    const { question, answer } = state.saved;
    const id = graph.add({ kind: 'TRAINING_SET', project, name, archived: false });
    for (const { of } of answer.columns) if (of) graph.connect(`FEATURE:${of}`, id);
    if (question.service) graph.connect(idOf({ kind: 'FEATURE_SERVICE', project, name: question.service }), id);
  }
}

/** The features that a reference means: one, or all of a group or transformation; the promoted version where none is named. */
export function meant(project: string, text: string, { groups, shared, transformations }: Definitions): string[] {
  const { name: named, feature } = referenceOf(text);
  const { project: owner, group: name, version } = groupNamed(project, named);
  const own = () => featuresOf(groups.get(name), version) ?? outputsOf(transformations.get(name), version);
  const names = owner === project ? own() : featuresOf(shared.get(`${owner}/${name}`), version);
  if (!names) return [];
  return names.features.filter((one) => feature === undefined || one === feature).map((one) => featureId(owner, `${name}@${names.version}:${one}`));
}

function groupId(project: string, named: string, { groups }: Definitions): string {
  const { group, version } = versionedGroup(named);
  return idOf({ kind: 'FEATURE_GROUP', project, name: `${group}@${version ?? featuresOf(groups.get(group), undefined)?.version}` });
}

interface NamesOfVersion {
  readonly version: number;
  readonly features: readonly string[];
}

function featuresOf(state: ReturnType<Definitions['groups']['get']>, version: number | undefined): NamesOfVersion | undefined {
  if (!state || state.status === 'absent') return undefined;
  const definition = version === undefined ? state.definition : state.versions[version - 1];
  return definition && { version: definition.version, features: definition.features.map(({ name }) => name) };
}

function outputsOf(state: ReturnType<Definitions['transformations']['get']>, version: number | undefined): NamesOfVersion | undefined {
  if (!state || state.status === 'absent') return undefined;
  const found = state.versions.at(version === undefined ? -1 : version - 1);
  return found && { version: found.version, features: found.outputs.map(({ name }) => name) };
}

const featureId = (project: string, name: string): string => idOf({ kind: 'FEATURE', project, name });
