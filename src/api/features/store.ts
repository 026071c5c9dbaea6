import { recordExpectationBreachCommand } from '../../commands/drift-checks.js';
import { Definitions } from '../../commands/features/definitions.js';
import { Expectations } from '../../commands/features/expectations.js';
import { FeatureGroups } from '../../commands/features/groups.js';
import { RowLog } from '../../commands/features/row-log.js';
import { FeatureWriter } from '../../commands/features/write.js';
import { requirePermission } from '../../commands/kit/execute.js';
import { requireService } from '../../domain/features/services/decisions.js';
import { featureService } from '../../domain/features/services/state.js';
import { Refusal } from '../../domain/kit/index.js';
import type { FeatureGroupDefinition } from '../../domain/features/state.js';
import { featureServiceStream } from '../../domain/features/streams.js';
import { askedOf, requireAsked } from '../../projections/features/history/selection.js';
import type { TrainingSet } from '../../projections/features/history/training-set.js';
import { exportOnline } from '../../projections/features/online/export.js';
import { followEntities, type FollowedRow } from '../../projections/features/online/follow.js';
import { recentFrom } from '../../projections/features/chunks/index-of-chunks.js';
import { LiveWindows } from '../../projections/features/windows/live.js';
import { OnlineRows } from '../../projections/features/online/lookup.js';
import { OnlineReader, type OnlineAnswer, type OnlineRequest } from '../../projections/features/online/read.js';
import { RowTail } from '../../projections/features/online/tail.js';
import { featureOnlineView } from '../../projections/features/online/view.js';
import { Transformations } from '../../commands/features/transformations.js';
import type { Core } from '../core.js';
import type { WireContext } from '../operations.js';

/** What a caller must hold to read values. */
const readPermission = 'features.read';

/** The feature store's own paths, the same for all wires. */
export interface FeatureStore {
  readonly groups: FeatureGroups;
  readonly writer: FeatureWriter;
  /** Checks the permission and waits for the caller's minimum position. */
  readOnline(request: OnlineRequest, context: WireContext): Promise<OnlineAnswer>;
  /** The latest rows of all entities of a group (`group@2` for a version), as tables with the same columns. */
  exportOnline(request: ExportRequest, context: WireContext): Promise<AsyncGenerator<TrainingSet>>;
  /** New latest rows of chosen entities, until the signal fires. */
  follow(request: FollowRequest, context: WireContext, signal: AbortSignal): Promise<{ definition: FeatureGroupDefinition; rows: AsyncIterable<FollowedRow> }>;
}

export interface ExportRequest {
  readonly project: string;
  readonly group: string;
  /** All where none is named. */
  readonly features: readonly string[];
}

export interface FollowRequest {
  readonly project: string;
  readonly group: string;
  readonly entities: readonly Readonly<Record<string, unknown>>[];
}

const stores = new WeakMap<Core, FeatureStore>();

/** The feature store of a platform; made once, so that all wires share its caches and its batches. */
export function featureStore(core: Core): FeatureStore {
  let store = stores.get(core);
  if (!store) stores.set(core, (store = makeStore(core)));
  return store;
}

function makeStore(core: Core): FeatureStore {
  const groups = new FeatureGroups(core.aggregates, (project) => core.executor.requireActiveProject(project));
  const transformations = new Transformations(core.aggregates);
  const expectations = new Expectations(
    core.aggregates,
    (breach, actor) => core.execute(recordExpectationBreachCommand, breach, { caller: { actor, may: () => true } }),
    Date.now,
    ({ project, group, breach }, err) => core.log.warn({ err, project, group, breach }, 'A broken expectation could not be told; a job tells it'),
  );
  const writer = new FeatureWriter(groups, new RowLog(core.eventStore), core.commandLog, core.quarantine, (project, named) => transformations.toRead(project, named), expectations);
  const rows = new OnlineRows(core.pool);
  const refresh = (project: string, name: string) => Promise.all([groups.latest(project, name), transformations.latest(project, name)]);
  const reader = new OnlineReader((project, group) => groups.toRead(project, group), (project, group) => refresh(project, group), rows, Date.now, transformations, new LiveWindows(core.eventStore, (stream, sinceUs) => recentFrom(core.pool, stream, sinceUs)), (project, group) => groups.known(project, group));
  const services = new Definitions(core.aggregates, featureService, featureServiceStream);
  const serviceOf = async (project: string, service: string) => requireService({ project, service }, await services.present(project, service));
  const tail = new RowTail(core.eventStore);
  return {
    groups,
    writer,
    async readOnline(request, context) {
      requirePermission({ permission: readPermission }, request.project, context);
      requireAsked(request);
      if (context.minPosition !== undefined) await core.awaitPosition([featureOnlineView.name], context);
      await core.noteParked([featureOnlineView.name], context);
      const asked = request.service ? askedOf(request, await serviceOf(request.project, request.service)) : request;
      return reader.read(asked, { fresh: context.minPosition !== undefined, caller: context });
    },
    async exportOnline({ project, group, features }, context) {
      requirePermission({ permission: readPermission }, project, context);
      await core.awaitPosition([featureOnlineView.name], context);
      await core.noteParked([featureOnlineView.name], context);
      return exportOnline(core.pool, await groups.toRead(project, group), features, Date.now() * 1000, context.signal);
    },
    async follow({ project, group, entities }, context, signal) {
      requirePermission({ permission: readPermission }, project, context);
      // A grant may be taken back while somebody listens, so only the project's own groups are followed.
      if (group.includes('/')) throw new Refusal('INVALID_ARGUMENT', 'group takes a group of the project itself', { reason: 'INVALID_INPUT', fields: [{ field: 'group', description: 'takes a group of the project itself' }] });
      const definition = await groups.toRead(project, group);
      return { definition, rows: followEntities(definition, entities, { tail, rows, signal }) };
    },
  };
}
