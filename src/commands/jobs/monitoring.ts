import type { Pool } from 'pg';
import type { EventStore } from '../../platform/eventstore/port.js';
import type { AnyJob } from '../../platform/jobs/define.js';
import type { Aggregates } from '../kit/aggregates.js';
import { measureDrift } from './measure-drift.js';
import { runFeatureMonitors } from './run-feature-monitors.js';

/** The jobs that watch the values of features. */
export const monitoringJobs = (parts: { readonly eventStore: EventStore; readonly aggregates: Aggregates; readonly pool: Pool }): readonly AnyJob[] => [measureDrift(parts), runFeatureMonitors(parts)];
