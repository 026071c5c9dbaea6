import { driftText } from '../src/cli/features/drift-table.js';
import { treesOf } from '../src/cli/features/lineage.js';
import type { LocalRun } from '../src/cli/local-run.js';
import { callRest } from '../src/cli/rest.js';
import type { FeatureDrift } from '../src/domain/features/monitoring/drift.js';
import { lineageQueries } from '../src/projections/features/lineage/query.js';
import { measureFeatureDrift } from '../src/projections/features/monitoring/drift-query.js';
import { groups, project } from './groups.js';
import { service } from './service.js';
import type { Labels } from './training.js';

const [airports] = groups;

/** Two stretches of time that are compared. */
interface Stretches {
  readonly what: string;
  readonly reference: { readonly start: string; readonly end: string };
  readonly current: { readonly start: string; readonly end: string };
}

/** January and February where the flights reach into March; else the first and the second half of them. */
export function stretchesOf({ dateUs }: Labels): Stretches {
  const [first, last] = [dateUs[0]!, dateUs.at(-1)! + 60e6];
  const time = (us: number) => new Date(us / 1000).toISOString();
  const [january, february, march] = [0, 1, 2].map((month) => Date.UTC(2001, month) * 1000) as [number, number, number];
  const months = first < february && last > march;
  const [start, middle, end] = months ? [january, february, march] : [first, (first + last) / 2, last];
  return { what: months ? 'January and February' : 'the first and the second half of the flights', reference: { start: time(start), end: time(middle) }, current: { start: time(middle), end: time(end) } };
}

/** How the features of the airports have moved from one stretch of time to the other. */
export async function driftReport(connection: LocalRun, { reference, current }: Stretches): Promise<string> {
  const { features } = (await callRest(connection, measureFeatureDrift.http, { project, group: airports.group, reference, current, features: [], tests: {} })) as unknown as { features: FeatureDrift[] };
  return driftText(features);
}

/** What the service's vector is made of. */
export async function lineageTree(connection: LocalRun): Promise<string> {
  const [{ http }] = lineageQueries;
  const graph = await callRest(connection, http, { project, node: service, kind: 'FEATURE_SERVICE', direction: 'UPSTREAM', depth: 10 });
  return treesOf(graph as never, 'up');
}
