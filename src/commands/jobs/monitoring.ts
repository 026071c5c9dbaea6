import type { Pool } from 'pg';
import type { Contents } from '../../platform/contents.js';
import type { EventStore } from '../../platform/eventstore/port.js';
import type { AnyJob } from '../../platform/jobs/define.js';
import type { Aggregates } from '../kit/aggregates.js';
import { measureDrift } from './measure-drift.js';
import { runFeatureMonitors } from './run-feature-monitors.js';
import { tellUntoldBreaches } from './tell-untold-breaches.js';

/** The jobs that watch the values of features. */
export const monitoringJobs = (parts: { readonly eventStore: EventStore; readonly aggregates: Aggregates; readonly pool: Pool; readonly trainingSets: Contents }): readonly AnyJob[] => [measureDrift(parts), runFeatureMonitors(parts), tellUntoldBreaches(parts)];
