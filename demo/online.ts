import { keyColumns, vectorsOf, type OnlineReply } from '../src/cli/features/online.js';
import type { ServiceClient } from '../src/cli/grpc.js';
import { CommandFailure, exitCodes } from '../src/cli/exit-codes.js';
import { progress } from '../src/cli/progress.js';
import { table } from '../src/cli/table.js';
import { groups, project, type Group } from './groups.js';

const [airports, routes] = groups;
const busiest = ['ORD', 'DFW', 'ATL', 'LAX', 'PHX'].map((origin) => [origin]);
const entitiesPerCall = 100;

/** Waits until the latest values hold everything that was written. */
export async function awaitVisible(client: ServiceClient, minPosition: string): Promise<void> {
  const bar = progress('Projecting', undefined, 'tries');
  try {
    for (let tries = 1; ; tries++) {
      try {
        await ask(client, airports, busiest, minPosition);
        return;
      } catch (error) {
        // A query waits some seconds for its view, then says so; the view of a bulk write may need longer.
        if (!(error instanceof CommandFailure) || error.exitCode !== exitCodes.unavailable || tries === 100) throw error;
        bar.update(tries);
      }
    }
  } finally {
    bar.stop();
  }
}

/** The last departures of some airports and routes, as tables. */
export async function showLatest(client: ServiceClient): Promise<string> {
  const pairs = [['ORD', 'LAX'], ['ATL', 'MIA'], ['LAX', 'NRT']];
  const [ofAirports, ofRoutes] = await Promise.all([read(client, airports, busiest), read(client, routes, pairs)]);
  return `${ofAirports}\n\n${ofRoutes}`;
}

/** Reads airports by the hundred for a while, several calls at once; says how many entities came. */
export async function readMany(client: ServiceClient, calls: number): Promise<number> {
  let left = calls;
  const keys = Array.from({ length: entitiesPerCall }, (_, at) => busiest[at % busiest.length]!);
  const worker = async () => {
    while (left-- > 0) await ask(client, airports, keys);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return calls * entitiesPerCall;
}

const ask = (client: ServiceClient, { group, entities, features }: Group, tuples: readonly (readonly string[])[], minPosition?: string): Promise<OnlineReply> =>
  client.unary('ReadOnline', { project, features: features.map(({ name }) => `${group}:${name}`), keys: keyColumns(entities, tuples) }, { minPosition });

async function read(client: ServiceClient, group: Group, tuples: readonly (readonly string[])[]): Promise<string> {
  const vectors = vectorsOf(await ask(client, group, tuples), tuples.length);
  return table(
    vectors.map(({ eventTime, values }, at) => ({
      ...Object.fromEntries(group.entities.map(({ name }, key) => [name, tuples[at]![key]])),
      departed: eventTime,
      ...Object.fromEntries(Object.entries(values).map(([name, { value, status }]) => [name, status === 'PRESENT' ? value : status])),
    })),
  );
}
