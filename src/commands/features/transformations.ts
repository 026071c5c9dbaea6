import { versionedGroup } from '../../domain/features/reference.js';
import { transformationStream } from '../../domain/features/streams.js';
import { readable, type ReadableTransformation } from '../../domain/features/transformations/readable.js';
import { transformation, type Transformation } from '../../domain/features/transformations/state.js';
import type { Aggregates } from '../kit/aggregates.js';
import { Definitions } from './definitions.js';

/** The definitions of transformations, kept in memory: looking one up costs no query. */
export class Transformations {
  private readonly definitions: Definitions<Transformation>;

  constructor(aggregates: Aggregates) {
    this.definitions = new Definitions(aggregates, transformation, transformationStream);
  }

  known(project: string, named: string): ReadableTransformation | undefined {
    const { group: name, version } = versionedGroup(named);
    const state = this.definitions.known(project, name);
    if (state === undefined || state.status === 'absent' || (version ?? 1) > state.versions.length) return undefined;
    return readable(project, named, state);
  }

  /** A transformation, or `amounts@2`; refuses when it is absent. */
  async toRead(project: string, named: string): Promise<ReadableTransformation> {
    return readable(project, named, await this.latest(project, named));
  }

  /** The transformation as the log has it now. */
  latest(project: string, named: string): Promise<Transformation> {
    return this.definitions.latest(project, versionedGroup(named).group);
  }
}
