/** What a node of lineage may be, from where values come from to where they go. */
export const lineageKinds = ['SOURCE', 'FEATURE_GROUP', 'FEATURE', 'TRANSFORMATION', 'PIPELINE', 'FEATURE_SERVICE', 'TRAINING_SET'] as const;
export type LineageKind = (typeof lineageKinds)[number];

/** One thing that values come from or go to. */
export interface LineageNode {
  /** `FEATURE:fraud/cards@2:amount`: the kind, the project and the name. */
  readonly id: string;
  readonly kind: LineageKind;
  readonly project: string;
  /** As a request names it: `cards@2:amount`, `cards@2`, `risk_model`, `table/warehouse.payments`. */
  readonly name: string;
  readonly version?: number;
  /** Whether the version is what the bare name means. */
  readonly promoted?: boolean;
  readonly archived: boolean;
}

/** Values go from one node to another. */
export interface LineageEdge {
  readonly from: string;
  readonly to: string;
}

/** Nodes and edges, each once. Whoever adds a node says its edges too, in any order: an edge to what is never added is left out. */
export class LineageGraph {
  private readonly nodes = new Map<string, LineageNode>();
  private readonly edges = new Map<string, LineageEdge>();

  add(node: Omit<LineageNode, 'id'>): string {
    const id = idOf(node);
    if (!this.nodes.has(id)) this.nodes.set(id, { id, ...node });
    return id;
  }

  connect(from: string, to: string): void {
    this.edges.set(`${from}\n${to}`, { from, to });
  }

  get(id: string): LineageNode | undefined {
    return this.nodes.get(id);
  }

  /** Everything, or what lies within a number of steps upstream or downstream of a node. */
  part(start?: string, { upstream, downstream, depth }: Reach = everything): { nodes: LineageNode[]; edges: LineageEdge[] } {
    const edges = [...this.edges.values()].filter(({ from, to }) => this.nodes.has(from) && this.nodes.has(to));
    if (start === undefined) return { nodes: [...this.nodes.values()], edges };
    const taken = new Set<LineageEdge>();
    const reached = new Set([start]);
    if (upstream) walk(Map.groupBy(edges, ({ to }) => to), ({ from }) => from);
    if (downstream) walk(Map.groupBy(edges, ({ from }) => from), ({ to }) => to);
    return { nodes: [...this.nodes.values()].filter(({ id }) => reached.has(id)), edges: edges.filter((edge) => taken.has(edge)) };

    function walk(edgesOf: ReadonlyMap<string, readonly LineageEdge[]>, next: (edge: LineageEdge) => string): void {
      const seen = new Set([start!]);
      let front = [start!];
      for (let step = 0; step < depth && front.length > 0; step++) {
        const steps = front.flatMap((id) => edgesOf.get(id) ?? []);
        for (const edge of steps) taken.add(edge);
        front = [...new Set(steps.map(next))].filter((id) => !seen.has(id));
        for (const id of front) {
          seen.add(id);
          reached.add(id);
        }
      }
    }
  }
}

export interface Reach {
  readonly upstream: boolean;
  readonly downstream: boolean;
  /** The most steps from the node. */
  readonly depth: number;
}

const everything: Reach = { upstream: true, downstream: true, depth: Infinity };

export const idOf = ({ kind, project, name }: Pick<LineageNode, 'kind' | 'project' | 'name'>): string => `${kind}:${project}/${name}`;
