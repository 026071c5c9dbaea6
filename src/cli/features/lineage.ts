import { Option, type Command } from 'commander';
import { readConfig } from '../../platform/config/index.js';
import { lineageKinds, type LineageEdge, type LineageNode } from '../../projections/features/lineage/graph.js';
import { lineageQueries } from '../../projections/features/lineage/query.js';
import { findConnection } from '../connection.js';
import { globalOptions, print, printJson } from '../output.js';
import { callRest } from '../rest.js';

interface Options {
  readonly kind?: string;
  readonly upstream?: boolean;
  readonly downstream?: boolean;
  readonly depth?: number;
  readonly asOf?: string;
}

const [{ http }] = lineageQueries;

/** `tarl features lineage`: what values come from and where they go, as a tree. */
export function lineage(group: Command): void {
  const command = group.command('lineage')
    .description('Shows what a feature, group, transformation, pipeline, service or training set comes from and where it goes.')
    .argument('<project/name>', 'flights/airports:delay_min, flights/airports@2, or a name of --kind')
    .addOption(new Option('--kind <kind>', 'what is named; a feature with a colon, else a group').choices(lineageKinds.map((kind) => kind.toLowerCase())))
    .option('--upstream', 'only what it comes from')
    .option('--downstream', 'only where it goes')
    .option('--depth <steps>', 'the most steps', Number)
    .option('--as-of <when>', 'as it was at a position of the log or a time')
    .addHelpText('after', '\nExample:\n  $ tarl features lineage flights/airports:delay_min --downstream');
  command.action(async (target: string, { kind, upstream, downstream, depth, asOf }: Options) => {
    const { json, profile } = globalOptions(command);
    const at = target.indexOf('/');
    const [project, node] = at < 0 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)];
    const direction = upstream === downstream ? 'BOTH' : upstream ? 'UPSTREAM' : 'DOWNSTREAM';
    const answer = (await callRest(await findConnection(readConfig(), profile), http, { project, node, kind: kind?.toUpperCase(), direction, depth, asOf })) as unknown as Graph;
    if (json) await printJson(answer);
    else await print(treesOf(answer, node === '' || direction !== 'UPSTREAM' ? 'down' : 'up'));
  });
}

interface Graph {
  readonly nodes: readonly LineageNode[];
  readonly edges: readonly LineageEdge[];
}

/** A tree from each node that nothing leads to; what has been shown already is not told again. */
export function treesOf({ nodes, edges }: Graph, way: 'up' | 'down'): string {
  const [from, to] = way === 'down' ? (['from', 'to'] as const) : (['to', 'from'] as const);
  const next = Map.groupBy(edges, (edge) => edge[from]);
  const led = new Set(edges.map((edge) => edge[to]));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const told = new Set<string>();
  const lines: string[] = [];
  const tell = (id: string, indent: string, branch: string) => {
    const again = told.has(id) && next.has(id);
    lines.push(`${indent}${branch}${wordsOf(byId.get(id)!)}${again ? ' …' : ''}`);
    if (again) return;
    told.add(id);
    const children = next.get(id) ?? [];
    const within = branch === '' ? indent : `${indent}${branch === '└─ ' ? '   ' : '│  '}`;
    children.forEach((edge, at) => tell(edge[to], within, at === children.length - 1 ? '└─ ' : '├─ '));
  };
  for (const { id } of nodes) if (!led.has(id)) tell(id, '', '');
  return lines.length > 0 ? lines.join('\n') : 'Nothing is defined.';
}

const wordsOf = ({ kind, name, archived, promoted }: LineageNode): string =>
  [kind.toLowerCase().replaceAll('_', ' '), name, ...(archived ? ['(archived)'] : promoted === false ? ['(not promoted)'] : [])].join(' ');
