/** The stream of a group's definition. */
export const featureGroupStream = (project: string, group: string): string => `feature_group-${project}.${group}`;

/** The stream of a service's definition. */
export const featureServiceStream = (project: string, service: string): string => `feature_service-${project}.${service}`;

/** The stream of a transformation's definition. */
export const transformationStream = (project: string, transformation: string): string => `transformation-${project}.${transformation}`;

/** The stream of what is watched of a group: its baseline, its monitor, its expectations. */
export const featureMonitoringStream = (project: string, group: string): string => `feature_monitoring-${project}.${group}`;

/** The stream of one drift check of a group. */
export const driftCheckStream = (project: string, group: string, check: string): string => `feature_drift_check-${project}.${group}.${check}`;

/** The stream of one broken expectation of a group. */
export const expectationBreachStream = (project: string, group: string, breach: string): string => `feature_expectation_breach-${project}.${group}.${breach}`;

/** The stream of a pipeline's definition. */
export const pipelineStream = (project: string, pipeline: string): string => `pipeline-${project}.${pipeline}`;

/** The stream of one application of a pipeline. */
export const pipelineRunStream = (project: string, pipeline: string, run: string): string => `pipeline_run-${project}.${pipeline}.${run}`;

/** The stream of the rows (and deletions) of all entities of a group that fall into one partition. */
export const featureRowsStream = (project: string, group: string, partition: number): string => `features-${project}.${group}.${partition}`;

/** What the names of all streams of rows begin with: of everything, of a project, or of one group. */
export const featureRowsPrefix = (project?: string, group?: string): string =>
  project === undefined ? 'features-' : group === undefined ? `features-${project}.` : `features-${project}.${group}.`;

/** The stream of a saved training set. */
export const trainingSetStream = (project: string, trainingSet: string): string => `training_set-${project}.${trainingSet}`;
