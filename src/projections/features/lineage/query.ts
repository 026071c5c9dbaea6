import { z } from 'zod';
import { versionedGroup } from '../../../domain/features/reference.js';
import { Refusal, resourceName } from '../../../domain/kit/index.js';
import { asOfInput } from '../../kit/as-of.js';
import { defineQuery } from '../../kit/query.js';
import { lineageOf, meant } from './build.js';
import { definitionsAt, type Definitions } from './definitions-at.js';
import { idOf, lineageKinds, type LineageGraph, type LineageKind } from './graph.js';

const kind = z.enum(lineageKinds).meta({ id: 'LineageKind' });

const lineage = z
  .object({
    nodes: z.array(
      z
        .object({
          id: z.string(),
          kind,
          project: z.string(),
          name: z.string(),
          version: z.int().optional(),
          promoted: z.boolean().optional().describe('Whether the version is what the bare name means.'),
          archived: z.boolean(),
        })
        .meta({ id: 'LineageNode' }),
    ),
    edges: z.array(z.object({ from: z.string(), to: z.string() }).meta({ id: 'LineageEdge' })),
  })
  .meta({ id: 'FeatureLineage' });

const input = z.object({
  project: resourceName,
  node: z.string().max(1200).default('').describe('group:feature, group@2, or another name of the kind; the whole graph without it.'),
  kind: kind.optional().describe('What node names; without it FEATURE where it holds a colon, else FEATURE_GROUP.'),
  direction: z.enum(['UPSTREAM', 'DOWNSTREAM', 'BOTH']).meta({ id: 'LineageDirection' }).default('BOTH').describe('Which way from the node: what it comes from, what it goes into, or both.'),
  depth: z.int().min(1).max(100).default(100).describe('The most steps from the node.'),
  ...asOfInput,
});

export const lineageQueries = [
  defineQuery({
    name: 'GetFeatureLineage',
    summary: 'What values come from and where they go: sources, groups, features, transformations, pipelines, services and training sets',
    http: { method: 'GET', path: '/api/v1/projects/{project}/feature-lineage' },
    permission: 'features.read',
    views: ['feature-groups', 'transformations', 'pipelines', 'feature-services', 'training-sets'],
    input,
    output: lineage,
    run: async ({ project, node, direction, depth, asOf, ...asked }, { pool, eventStore, signal }) => {
      const definitions = await definitionsAt(project, { pool, eventStore, signal, asOf });
      const graph = lineageOf(project, definitions);
      if (node === '') return graph.part();
      const start = nodeOf(project, node, asked.kind ?? (node.includes(':') ? 'FEATURE' : 'FEATURE_GROUP'), definitions, graph);
      return graph.part(start, { upstream: direction !== 'DOWNSTREAM', downstream: direction !== 'UPSTREAM', depth });
    },
  }),
] as const;

/** The node that a name means. Refuses what is not in the graph. */
function nodeOf(project: string, name: string, of: LineageKind, definitions: Definitions, graph: LineageGraph): string {
  const ids = of === 'FEATURE' && name.includes(':') ? meant(project, name, definitions) : [idOf({ kind: of, project, name: withVersion(name, of, definitions) })];
  const found = ids.find((id) => graph.get(id));
  if (found !== undefined) return found;
  throw new Refusal('NOT_FOUND', `The lineage of project ${project} has no ${of} ${name}`, { reason: 'LINEAGE_NODE_NOT_FOUND', metadata: { node: name, kind: of } });
}

/** A bare name means the promoted version. */
function withVersion(named: string, of: LineageKind, { groups, transformations, pipelines }: Definitions): string {
  const { group: name, version } = versionedGroup(named);
  if (version !== undefined) return named;
  const group = groups.get(name);
  if (of === 'FEATURE_GROUP' && group && group.status !== 'absent') return `${name}@${group.definition.version}`;
  const transformation = transformations.get(name);
  if (of === 'TRANSFORMATION' && transformation && transformation.status !== 'absent') return `${name}@${transformation.versions.length}`;
  const pipeline = pipelines.get(name);
  if (of === 'PIPELINE' && pipeline && pipeline.status !== 'absent') return `${name}@${pipeline.newest.version}`;
  return name;
}
