import type { MigrationInterface } from 'typeorm';
import { Engine } from './0001-engine.js';
import { Projects } from './0002-projects.js';
import { Features } from './0003-features.js';
import { FeatureChunks } from './0004-feature-chunks.js';
import { Reactions } from './0006-reactions.js';
import { Parking } from './0007-parking.js';
import { FeatureServices } from './0008-feature-services.js';
import { Operations } from './0009-operations.js';
import { Jobs } from './0010-jobs.js';
import { FeatureGroupVersions } from './0011-feature-group-versions.js';
import { Slices } from './0012-slices.js';
import { Rebuilds } from './0013-rebuilds.js';
import { History } from './0014-history.js';
import { TracesOfJobs } from './0015-traces-of-jobs.js';
import { Transformations } from './0016-transformations.js';
import { Pipelines } from './0017-pipelines.js';
import { FeatureMonitoring } from './0018-feature-monitoring.js';
import { FeatureQuarantine } from './0019-feature-quarantine.js';
import { TrainingSets } from './0020-training-sets.js';
import { TransformationHistory } from './0021-transformation-history.js';
import { Snapshots } from './0024-snapshots.js';
import { FeatureGroupShares } from './0029-feature-group-shares.js';
import { MetricsCheckpoints } from './0030-metrics-checkpoints.js';
import { FeatureHistories } from './0035-feature-histories.js';
import { SharesByOwner } from './0036-shares-by-owner.js';

/** All migrations in their order. Only ever add to the end: what has been released is never changed. */
export const migrations: readonly (new () => MigrationInterface)[] = [Engine, Projects, Features, FeatureChunks, Reactions, Parking, FeatureServices, Operations, Jobs, FeatureGroupVersions, Slices, Transformations, History, Rebuilds, Snapshots, TrainingSets, FeatureQuarantine, FeatureMonitoring, Pipelines, TransformationHistory, FeatureGroupShares, TracesOfJobs, MetricsCheckpoints, FeatureHistories, SharesByOwner];
