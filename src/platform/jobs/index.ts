export { openJobBackend, type JobBackend, type JobBackendOptions } from './backend.js';
export { defineJob, type AnyJob, type JobDefinition, type JobRun } from './define.js';
export { Jobs, type EnqueueOptions, type JobsParts, type RunningJob, type Outcome } from './jobs.js';
