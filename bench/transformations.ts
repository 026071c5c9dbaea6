import { inTurns, type BenchOptions, type Row } from './kit.js';
import { batchOf, benchGroup } from './support/columns.js';
import { callUnary, grpcClient } from './support/grpc-client.js';
import { startPlatform } from './support/platform.js';
import { streamRows } from './support/stream-rows.js';

const project = 'bench';
const entities = 10_000;
const rowsPerRequest = 1_000;
const rounds = 3;

/** What transformations cost those who write: windows that follow every row, and features computed of every row. */
export async function transformationsBench({ scale, log }: BenchOptions): Promise<Row[]> {
  const platform = await startPlatform();
  try {
    const features = grpcClient('tarl/features/v1/features.proto', 'tarl.features.v1.Features', platform);
    const transformations = grpcClient('tarl/features/v1/transformations.proto', 'tarl.features.v1.Transformations', platform);
    await callUnary(grpcClient('tarl/projects/v1/projects.proto', 'tarl.projects.v1.Projects', platform), 'CreateProject', { project });
    for (const group of ['plain', 'windowed', 'computed']) await callUnary(features, 'CreateFeatureGroup', { project, group, ...benchGroup });
    const input = (group: string) => [{ name: 'amount', feature: `${group}:amount`, type: 'FEATURE_TYPE_DOUBLE' }, { name: 'count', feature: `${group}:count`, type: 'FEATURE_TYPE_INT64' }];
    const window = (aggregate: string) => ({ name: `recent_${aggregate.toLowerCase()}`, window: { aggregate: `WINDOW_AGGREGATE_${aggregate}`, input: 'amount', durationSeconds: 86_400 } });
    await callUnary(transformations, 'RegisterTransformation', { project, transformation: 'recent', inputs: input('windowed'), outputs: ['COUNT', 'SUM', 'MEAN', 'MAX'].map(window) });
    await callUnary(transformations, 'RegisterTransformation', { project, transformation: 'made', inputs: input('computed'), outputs: [{ name: 'x', expression: 'amount / (count + 1)' }, { name: 'y', expression: 'log(abs(amount) + 1.0)' }] });
    for (const feature of ['x', 'y']) await callUnary(features, 'RegisterFeature', { project, group: 'computed', feature: { name: feature, type: 'FEATURE_TYPE_DOUBLE', transformation: `made@1:${feature}` } });

    const requests = Math.ceil((200_000 * scale) / rowsPerRequest);
    let written = 0;
    /** Rows of the last hours, none with the time of another. */
    const batches = (count: number) => Array.from({ length: count }, (_, n) => batchOf({ rows: rowsPerRequest, entities, first: written + n * rowsPerRequest, fromUs: (Date.now() - 7_200_000) * 1000 }));
    const write = async (group: string, then: (position: string) => Promise<unknown> = async () => undefined): Promise<number> => {
      const made = batches(requests);
      written += requests * rowsPerRequest;
      const started = performance.now();
      await then(await streamRows(features, { project, group }, made));
      return (requests * rowsPerRequest) / ((performance.now() - started) / 1000);
    };
    const readOf = (named: string) => (position?: string) => {
      const metadata = (features as any).metadata.clone();
      if (position) metadata.set('tarl-min-position', position);
      return new Promise<unknown>((resolve, reject) => features['ReadOnline']!({ project, features: [named], keys: [{ name: 'entity', strings: ['e1', 'e2', 'e3'] }] }, metadata, (error: Error | null, answer: unknown) => (error ? reject(error) : resolve(answer))));
    };
    await readOf('recent')();
    log('  windows');
    const windows = await inTurns(rounds, () => write('windowed', readOf('recent')), () => write('plain', readOf('plain:amount')));
    log('  computed on write');
    const computed = await inTurns(rounds, () => write('computed'), () => write('plain'));
    return [
      { what: 'rows written until windows read online count them', measured: windows.measured, unit: 'rows/s', limit: { what: 'rows/s written until a plain feature is read online', measured: windows.limit }, ratio: windows.ratio, target: '20,000 rows/s', reached: windows.measured >= 20_000 },
      { what: 'rows written with two features computed of each', measured: computed.measured, unit: 'rows/s', limit: { what: 'rows/s without them', measured: computed.limit }, ratio: computed.ratio, target: '20,000 rows/s', reached: computed.measured >= 20_000 },
    ];
  } finally {
    await platform.stop();
  }
}
