import { requireActiveGroup, requireGroup } from '../../domain/features/decisions.js';
import { featureGroup, type FeatureGroup, type FeatureGroupDefinition } from '../../domain/features/state.js';
import { featureGroupStream } from '../../domain/features/streams.js';
import type { Aggregates } from '../kit/aggregates.js';
import { Definitions } from './definitions.js';

/** The definitions of feature groups: looking one up costs no query. */
export class FeatureGroups {
  private readonly definitions: Definitions<FeatureGroup>;

  constructor(
    aggregates: Aggregates,
    private readonly requireActiveProject: (project: string) => Promise<void>,
  ) {
    this.definitions = new Definitions(aggregates, featureGroup, featureGroupStream);
  }

  /** A group that may be written; refuses when it or its project is absent or archived. */
  async toWrite(project: string, group: string): Promise<FeatureGroupDefinition> {
    await this.requireActiveProject(project);
    const known = this.definitions.known(project, group);
    return requireActiveGroup({ project, group }, known?.status === 'active' ? known : await this.latest(project, group));
  }

  /** A group that may be read, archived or not; refuses when it is absent. */
  async toRead(project: string, group: string): Promise<FeatureGroupDefinition> {
    return requireGroup({ project, group }, await this.definitions.present(project, group));
  }

  /** The group as the log has it now. */
  latest(project: string, group: string): Promise<FeatureGroup> {
    return this.definitions.latest(project, group);
  }
}
