import { featureCommands } from '../src/commands/features.js';
import type { HttpRoute } from '../src/commands/kit/command.js';
import { projectCommands } from '../src/commands/projects.js';
import type { WriteRequest } from '../src/cli/features/row-stream.js';
import type { LocalRun } from '../src/cli/local-run.js';
import { PlatformRefusal } from '../src/cli/failures.js';
import { callRest } from '../src/cli/rest.js';
import type { Flights } from './flights.js';

/** The project that the demo makes, or finds as an earlier demo left it. */
export const project = 'flights';

/**
 * What is known of an airport or a route after each departure: the last flight's own values, at its date. So for the
 * next flight they are history, and nothing of a flight itself can leak into its own row.
 */
export const groups = [
  {
    group: 'airports',
    description: 'The last departure from an airport',
    entities: [{ name: 'origin', type: 'STRING' }],
    features: [{ name: 'delay_min', type: 'INT64' }, { name: 'distance_mi', type: 'INT64' }, { name: 'destination', type: 'STRING' }],
    batchOf: ({ origin, dateUs, delay, distance, destination }: Flights): WriteRequest['batch'] => ({
      keys: [origin],
      eventTimeUs: dateUs,
      features: [{ ...delay, name: 'delay_min' }, { ...distance, name: 'distance_mi' }, destination],
    }),
  },
  {
    group: 'routes',
    description: 'The last departure from an airport to another',
    entities: [{ name: 'origin', type: 'STRING' }, { name: 'destination', type: 'STRING' }],
    features: [{ name: 'delay_min', type: 'INT64' }, { name: 'distance_mi', type: 'INT64' }],
    batchOf: ({ origin, dateUs, delay, distance, destination }: Flights): WriteRequest['batch'] => ({
      keys: [origin, destination],
      eventTimeUs: dateUs,
      features: [{ ...delay, name: 'delay_min' }, { ...distance, name: 'distance_mi' }],
    }),
  },
] as const;
export type Group = (typeof groups)[number];

/** Creates the project and its groups; what is there already stays as it is. */
export async function createGroups(connection: LocalRun): Promise<string[]> {
  const [createProject] = projectCommands;
  const [createFeatureGroup] = featureCommands;
  return [
    await create(connection, project, createProject, { description: 'Flights within the United States in 2001' }),
    ...(await Promise.all(groups.map(({ group, description, entities, features }) => create(connection, `${project}/${group}`, createFeatureGroup, { group, description, entities, features })))),
  ];
}

/** Creates one thing of the project, and says whether it was there already. */
export async function create(connection: LocalRun, name: string, { http }: { http: HttpRoute }, input: object): Promise<string> {
  const changed = await callRest(connection, http, { project, ...input }).then(
    (answer) => answer.changed,
    (error: unknown) => {
      // Somebody described it otherwise, or gave a group more features: the demo's own are written all the same.
      if (error instanceof PlatformRefusal && error.said.code === 'ALREADY_EXISTS') return false;
      throw error;
    },
  );
  return `${name} ${changed ? 'created' : 'is there already'}`;
}
