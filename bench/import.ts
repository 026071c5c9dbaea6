import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ParquetTableWriter } from '../src/platform/rows/parquet-writer.js';
import { openParquet } from '../src/platform/rows/parquet.js';
import { packageRoot } from '../src/platform/root.js';
import { median, type BenchOptions, type Row } from './kit.js';
import { callUnary, grpcClient } from './support/grpc-client.js';
import { startPlatform } from './support/platform.js';

const cli = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
const flights = join(packageRoot, 'node_modules/vega-datasets/data/flights-3m.parquet');
const project = 'bench';

/** Three million flights from a Parquet file by `tarl features import`, until the last row is durable; client and platform on this machine. */
export async function importBench({ scale, log }: BenchOptions): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tarl-bench-import-'));
  const platform = await startPlatform();
  try {
    const profile = { bench: { ...platform.addresses, key: platform.key } };
    const features = grpcClient('tarl/features/v1/features.proto', 'tarl.features.v1.Features', platform);
    await callUnary(grpcClient('tarl/projects/v1/projects.proto', 'tarl.projects.v1.Projects', platform), 'CreateProject', { project });
    const file = scale < 1 ? await partOf(folder, Math.ceil(3_000_000 * scale)) : flights;
    await writeProfile(folder, profile);
    const rates: number[] = [];
    for (let round = 0; round < 3; round++) {
      log(`  importing, round ${round + 1}`);
      rates.push(await importOnce(features, file, folder, round));
    }
    const rate = median(rates);
    return [{ what: 'flights imported from Parquet by `tarl features import`, durable', measured: rate, unit: 'rows/s', target: '150,000 rows/s', reached: rate >= 150_000 }];
  } finally {
    await platform.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeProfile(folder: string, profiles: object): Promise<void> {
  await mkdir(join(folder, 'tarl'), { recursive: true });
  await writeFile(join(folder, 'tarl/config.json'), JSON.stringify(profiles));
}

async function importOnce(features: ReturnType<typeof grpcClient>, file: string, folder: string, round: number): Promise<number> {
  const group = `flights_${round}`;
  await callUnary(features, 'CreateFeatureGroup', {
    project, group,
    entities: [{ name: 'origin', type: 'FEATURE_TYPE_STRING' }],
    features: [{ name: 'delay', type: 'FEATURE_TYPE_INT64' }, { name: 'distance', type: 'FEATURE_TYPE_INT64' }, { name: 'destination', type: 'FEATURE_TYPE_STRING' }],
  });
  const env = { ...process.env, XDG_CONFIG_HOME: folder, XDG_STATE_HOME: join(folder, 'state') };
  const args = [cli, 'features', 'import', `${project}/${group}`, file, '--event-time', 'date', '--profile', 'bench', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  const { rowsWritten, seconds } = JSON.parse(stdout) as { rowsWritten: number; seconds: number };
  return rowsWritten / seconds;
}

/** The first rows of the flights as a file of their own. */
async function partOf(folder: string, rows: number): Promise<string> {
  const path = join(folder, 'part.parquet');
  const writer = new ParquetTableWriter();
  const pieces: Uint8Array[] = [];
  let left = rows;
  for await (const batch of (await openParquet(flights)).batches(100_000)) {
    if (left === 0) break;
    const taken = Math.min(left, batch.rows);
    const columns = [...batch.columns].map(([name, values]) => ({ name, type: batch.types!.get(name)!, at: (row: number) => values[row] }));
    pieces.push(...writer.write({ rows: taken, columns }));
    left -= taken;
  }
  await writeFile(path, Buffer.concat([...pieces, writer.finish()]));
  return path;
}
