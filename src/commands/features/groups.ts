import { requireActiveGroup, requireShared, requireVersion } from '../../domain/features/decisions.js';
import { groupNamed } from '../../domain/features/reference.js';
import { featureGroup, type FeatureGroup, type FeatureGroupDefinition } from '../../domain/features/state.js';
import { featureGroupStream } from '../../domain/features/streams.js';
import { resourceName } from '../../domain/kit/index.js';
import type { Aggregates } from '../kit/aggregates.js';
import { Definitions } from './definitions.js';

/** The definitions of feature groups: looking one up costs no query. */
export class FeatureGroups {
  private readonly definitions: Definitions<FeatureGroup>;

  constructor(
    private readonly aggregates: Aggregates,
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

  /** A group, or `group@2`, that may be read, archived or not; or `fraud/cards` of another project that shares it. Refuses when it is absent. */
  async toRead(project: string, named: string): Promise<FeatureGroupDefinition> {
    const { project: owner, group, version } = groupNamed(project, named);
    if (owner !== project) return this.shared(project, { project: owner, group, version });
    const state = await this.definitions.present(project, group);
    const unknown = version !== undefined && state.status !== 'absent' && version > state.versions.length;
    return requireVersion({ project, group, version }, unknown ? await this.latest(project, group) : state);
  }

  /** A group of the project itself that may be read, where it is known at once. */
  known(project: string, named: string): FeatureGroupDefinition | undefined {
    const { project: owner, group, version } = groupNamed(project, named);
    const state = owner === project ? this.definitions.known(project, group) : undefined;
    if (state === undefined || state.status === 'absent') return undefined;
    return version === undefined ? state.definition : state.versions[version - 1];
  }

  /** The group as the log has it now. */
  latest(project: string, named: string): Promise<FeatureGroup> {
    const { project: owner, group } = groupNamed(project, named);
    return this.definitions.latest(owner, group);
  }

  /** What another process took back is noticed after a second at most. */
  private async shared(withProject: string, named: { project: string; group: string; version?: number }): Promise<FeatureGroupDefinition> {
    // What cannot be a name stands in no stream's name either.
    const isName = [named.project, named.group].every((name) => resourceName.safeParse(name).success);
    const state = isName ? (await this.aggregates.recent(featureGroup, featureGroupStream(named.project, named.group), 1000)).state : featureGroup.initialState;
    requireShared({ ...named, withProject }, state);
    return requireVersion(named, state);
  }
}
