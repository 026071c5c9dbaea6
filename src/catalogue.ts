import type { AnyAction } from './commands/kit/action.js';
import type { AnyCommand } from './commands/kit/command.js';
import { featureServiceCommands } from './commands/feature-services.js';
import { featureCommands } from './commands/features.js';
import { trainingSetCommands } from './commands/training-sets.js';
import { projectionActions } from './commands/projections.js';
import { monitoringCommands } from './commands/monitoring.js';
import { pipelineCommands } from './commands/pipelines.js';
import { projectCommands } from './commands/projects.js';
import { transformationCommands } from './commands/transformations.js';
import { featureGroupQueries } from './projections/features/groups-queries.js';
import { featureGroupsView } from './projections/features/groups-view.js';
import { featureChunksView } from './projections/features/chunks/view.js';
import { featureOnlineView } from './projections/features/online/view.js';
import { expectationBreachesView } from './projections/features/monitoring/breaches-view.js';
import { driftChecksView, measuredDriftsView } from './projections/features/monitoring/checks-view.js';
import { monitoringQueries } from './projections/features/monitoring/queries.js';
import { quarantineQueries } from './projections/features/quarantine/queries.js';
import { untoldBreachesView } from './projections/features/monitoring/untold-breaches-view.js';
import { featureMonitoringView } from './projections/features/monitoring/view.js';
import { featureGroupShareQueries } from './projections/features/shares/queries.js';
import { featureGroupSharesView } from './projections/features/shares/view.js';
import { featureServiceQueries } from './projections/features/services/queries.js';
import { featureServicesView } from './projections/features/services/view.js';
import { pipelineQueries } from './projections/features/pipelines/queries.js';
import { pipelineRunsView, pipelinesView } from './projections/features/pipelines/views.js';
import { transformationQueries } from './projections/features/transformations/queries.js';
import { transformationsView } from './projections/features/transformations/view.js';
import { lineageQueries } from './projections/features/lineage/query.js';
import { trainingSetQueries } from './projections/features/training-sets/queries.js';
import { trainingSetsView } from './projections/features/training-sets/view.js';
import { projectionQueries } from './projections/engine/queries.js';
import type { AnyQuery } from './projections/kit/query.js';
import type { View } from './projections/kit/view.js';
import { decidersOf } from './projections/replay/deciders.js';
import { auditQueries } from './projections/replay/queries.js';
import { jobsView } from './projections/jobs/view.js';
import { logTimesView } from './projections/log-times/view.js';
import { metricsQueries } from './projections/metrics/queries.js';
import { metricsCheckpointsView } from './projections/metrics/view.js';
import { projectQueries } from './projections/projects/queries.js';
import { projectsView } from './projections/projects/view.js';

/** One domain as the platform wires it. */
export interface Domain {
  readonly name: string;
  /** What it is for, in a few words, for the help of the command line. */
  readonly summary: string;
  /** The proto file below `proto/` and the service in it that serves these commands and queries. */
  readonly proto: string;
  readonly service: string;
  readonly commands: readonly AnyCommand[];
  readonly queries: readonly AnyQuery[];
  /** What operators ask of the platform itself. */
  readonly actions?: readonly AnyAction[];
  readonly views: readonly View[];
}

/** The domains, one line each. */
export const catalogue: readonly Domain[] = [
  { name: 'projects', summary: 'What everything else belongs to', proto: 'tarl/projects/v1/projects.proto', service: 'tarl.projects.v1.Projects', commands: projectCommands as never, queries: projectQueries as never, views: [projectsView] },
  { name: 'features', summary: 'Feature groups and services: define, write and read them', proto: 'tarl/features/v1/features.proto', service: 'tarl.features.v1.Features', commands: [...featureCommands, ...featureServiceCommands] as never, queries: [...featureGroupQueries, ...featureServiceQueries, ...featureGroupShareQueries] as never, views: [featureGroupsView, featureServicesView, featureGroupSharesView, featureOnlineView, featureChunksView] },
  { name: 'transformations', summary: 'Features computed from features', proto: 'tarl/features/v1/transformations.proto', service: 'tarl.features.v1.Transformations', commands: transformationCommands as never, queries: transformationQueries as never, views: [transformationsView] },
  { name: 'pipelines', summary: 'Fill feature groups from others by transformations', proto: 'tarl/features/v1/pipelines.proto', service: 'tarl.features.v1.Pipelines', commands: pipelineCommands as never, queries: pipelineQueries as never, views: [pipelinesView, pipelineRunsView] },
  { name: 'monitoring', summary: 'Baselines, drift and expectations of feature groups', proto: 'tarl/features/v1/monitoring.proto', service: 'tarl.features.v1.Monitoring', commands: monitoringCommands as never, queries: monitoringQueries as never, views: [featureMonitoringView, driftChecksView, measuredDriftsView, expectationBreachesView, untoldBreachesView] },
  { name: 'training-sets', summary: 'Save training sets and prove that they are the same', proto: 'tarl/features/v1/training_sets.proto', service: 'tarl.features.v1.TrainingSets', commands: trainingSetCommands as never, queries: trainingSetQueries as never, views: [trainingSetsView] },
  { name: 'quarantine', summary: 'Rows that were refused: mend them, send them again, discard them', proto: 'tarl/features/v1/quarantine.proto', service: 'tarl.features.v1.Quarantine', commands: [], queries: quarantineQueries as never, views: [] },
  { name: 'audit', summary: 'The events of the log, page by page', proto: 'tarl/audit/v1/audit.proto', service: 'tarl.audit.v1.Audit', commands: [], queries: auditQueries(() => decidersOf(catalogue)) as never, views: [] },
  { name: 'projections', summary: 'Read models: status, rebuilds, comparisons, parked keys', proto: 'tarl/projections/v1/projections.proto', service: 'tarl.projections.v1.Projections', commands: [], queries: projectionQueries as never, actions: projectionActions as never, views: [] },
  { name: 'metrics', summary: 'What the platform measured of itself, now and in the past', proto: 'tarl/metrics/v1/metrics.proto', service: 'tarl.metrics.v1.Metrics', commands: [], queries: metricsQueries as never, views: [metricsCheckpointsView] },
  { name: 'lineage', summary: 'What values come from and where they go', proto: 'tarl/features/v1/lineage.proto', service: 'tarl.features.v1.Lineage', commands: [], queries: lineageQueries as never, views: [] },
];

/** The views of all domains, and those of the platform itself. */
export const views: readonly View[] = [...catalogue.flatMap((domain) => domain.views), jobsView, logTimesView];
