import { requireActiveGroup, requireVersion } from '../../domain/features/decisions.js';
import { versionedGroup } from '../../domain/features/reference.js';
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

  /** A group that may be written, in the promoted version or another; refuses when it or its project is absent or archived. */
  async toWrite(project: string, group: string, version?: number): Promise<FeatureGroupDefinition> {
    await this.requireActiveProject(project);
    const known = this.definitions.known(project, group);
    const knows = known?.status === 'active' && (version === undefined || version <= known.versions.length);
    const state = knows ? known : await this.latest(project, group);
    requireActiveGroup({ project, group }, state);
    return requireVersion({ project, group, version }, state);
  }

  /** A group, or `group@2`, that may be read, archived or not; refuses when it is absent. */
  async toRead(project: string, named: string): Promise<FeatureGroupDefinition> {
    const { group, version } = versionedGroup(named);
    const state = await this.definitions.present(project, group);
    const unknown = version !== undefined && state.status !== 'absent' && version > state.versions.length;
    return requireVersion({ project, group, version }, unknown ? await this.latest(project, group) : state);
  }

  /** The group as the log has it now. */
  latest(project: string, named: string): Promise<FeatureGroup> {
    return this.definitions.latest(project, versionedGroup(named).group);
  }
}
