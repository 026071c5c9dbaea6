import { requireActiveGroup, requireGroup } from '../../domain/features/decisions.js';
import { featureGroup, type FeatureGroup, type FeatureGroupDefinition } from '../../domain/features/state.js';
import { featureGroupStream } from '../../domain/features/streams.js';
import type { Aggregates } from '../kit/aggregates.js';

/** How long a definition is used before the log is asked, in the background, whether another process has changed it. */
const freshForMs = 2_000;

/** The definitions of feature groups, kept in memory: looking one up costs no query. */
export class FeatureGroups {
  private readonly checkedAt = new Map<string, number>();

  constructor(
    private readonly aggregates: Aggregates,
    private readonly requireActiveProject: (project: string) => Promise<void>,
  ) {}

  /** A group that may be written; refuses when it or its project is absent or archived. */
  async toWrite(project: string, group: string): Promise<FeatureGroupDefinition> {
    await this.requireActiveProject(project);
    const known = this.known(project, group);
    return requireActiveGroup({ project, group }, known?.status === 'active' ? known : await this.latest(project, group));
  }

  /** A group that may be read, archived or not; refuses when it is absent. */
  async toRead(project: string, group: string): Promise<FeatureGroupDefinition> {
    const known = this.known(project, group);
    return known && known.status !== 'absent' ? known.definition : requireGroup({ project, group }, await this.latest(project, group));
  }

  /** The group as the log has it now. */
  async latest(project: string, group: string): Promise<FeatureGroup> {
    const stream = featureGroupStream(project, group);
    const { state } = await this.aggregates.load(featureGroup, stream);
    if (state.status !== 'absent') this.remember(stream);
    return state;
  }

  private known(project: string, group: string): FeatureGroup | undefined {
    const stream = featureGroupStream(project, group);
    const state = this.aggregates.cached<FeatureGroup>(stream)?.state;
    if (state && state.status !== 'absent' && !(Date.now() - (this.checkedAt.get(stream) ?? 0) < freshForMs)) {
      this.remember(stream);
      // What is known stays good for this call; when the log cannot be reached, the write itself will say so.
      this.aggregates.load(featureGroup, stream).catch(() => this.checkedAt.delete(stream));
    }
    return state;
  }

  private remember(stream: string): void {
    if (this.checkedAt.size > 50_000) this.checkedAt.clear();
    this.checkedAt.set(stream, Date.now());
  }
}
