import { featureServiceCommands } from '../src/commands/feature-services.js';
import { transformationCommands } from '../src/commands/transformations.js';
import type { LocalRun } from '../src/cli/local-run.js';
import { create, project } from './groups.js';

/** The vector of a model that foresees delays: the last departures, and what the airport's week was like. */
export const service = 'delay_model';
const transformation = 'airport_week';
const week_seconds = 7 * 24 * 3600;

/** Registers rolling windows over the airports' departures, and a service over both groups and them. */
export async function createService(connection: LocalRun): Promise<string[]> {
  const [registerTransformation] = transformationCommands;
  const [createFeatureService] = featureServiceCommands;
  const window = (aggregate: 'COUNT' | 'MEAN' | 'MAX') => ({ aggregate, durationSeconds: week_seconds, ...(aggregate !== 'COUNT' && { input: 'delay' }) });
  const windows = await create(connection, `${project}/${transformation}`, registerTransformation, {
    transformation,
    description: 'The departures of an airport over seven days',
    inputs: [{ name: 'delay', feature: 'airports:delay_min', type: 'INT64' }],
    outputs: [
      { name: 'departures_7d', window: window('COUNT') },
      { name: 'mean_delay_7d', window: window('MEAN') },
      { name: 'worst_delay_7d', window: window('MAX') },
    ],
  });
  const features = ['airports:delay_min', 'routes:delay_min', 'routes:distance_mi', ...['departures_7d', 'mean_delay_7d', 'worst_delay_7d'].map((output) => `${transformation}:${output}`)];
  return [windows, await create(connection, `${project}/${service}`, createFeatureService, { service, description: 'What a model of delays is given', features, fullNames: true })];
}
