import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DuckDBInstance } from '@duckdb/node-api';
import { execFile, type ExecFileException } from 'node:child_process';
import { copyFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual, promisify } from 'node:util';
import { processesWith } from '../support/processes.js';
import { dataFolder, testEnvironment } from '../support/tarl.js';
import { until } from '../support/until.js';

const count = 20_000;
const flights = `(select *, file_row_number as n from read_parquet('${resolve('node_modules/vega-datasets/data/flights-3m.parquet')}', file_row_number = true) where file_row_number < ${count})`;

/** What DuckDB, which shares no code with the demo, reads in the file. */
async function duckdb(query: string): Promise<Record<string, any>[]> {
  const connection = await (await DuckDBInstance.create()).connect();
  return (await connection.runAndReadAll(query)).getRowObjectsJson();
}

describe('npm run demo', () => {
  let data: Awaited<ReturnType<typeof dataFolder>>;
  let env: NodeJS.ProcessEnv;
  let first: string;
  let second: string;
  let pid: number | undefined;

  const demo = async (): Promise<string> => (await promisify(execFile)('node_modules/node/bin/node', ['dist/demo/main.js', '--rows', String(count)], { env })).stdout;

  beforeAll(async () => {
    data = await dataFolder();
    env = { ...testEnvironment, TARL_DATA_DIR: data.path };
    first = await demo();
    pid = Number(/kill (\d+)/.exec(first)?.[1]);
    // Every demo ends with late rows, which the training set of the next one holds.
    await copyFile(join(data.path, 'demo/training-set.csv'), join(data.path, 'first.csv'));
    second = await demo();
  });
  afterAll(async () => {
    if (pid) {
      process.kill(pid, 'SIGTERM');
      await until('the platform has stopped', () => processesWith(data.path).length === 0);
    }
    await data.remove();
  });

  test('writes every flight of the file to both groups, and says how fast', () => {
    expect(first).toContain('TARL demo: 20,000 of 3,000,000 flights');
    expect(first).toMatch(/Write every flight to both groups +40,000 rows +[\d.]+ +[\d,]+ rows\/s/);
    expect(first).not.toContain('recognised');
  });

  test('a second run finds its groups and stores nothing twice', () => {
    expect(second).toContain('flights/airports is there already');
    expect(second).toContain('40,000 rows were written by an earlier demo: recognised by their request ids, not stored again.');
  });

  test('the last departure of each airport is the one in the file', async () => {
    const expected = await duckdb(`select origin, arg_max(delay, n)::int as delay_min, arg_max(distance, n)::int as distance_mi, arg_max(destination, n) as destination from ${flights} group by origin order by origin`);
    const { stdout } = await promisify(execFile)('node_modules/node/bin/node', ['dist/src/cli/main.js', 'features', 'read', 'flights/airports', '--json', ...expected.map(({ origin }) => origin)], { env });
    const found = (JSON.parse(stdout) as { entity: { origin: string }; values: Record<string, { value: unknown }> }[]).map(({ entity, values }) => ({
      ...entity,
      ...Object.fromEntries(Object.entries(values).map(([name, { value }]) => [name, value])),
    }));
    expect(found).toEqual(expected);
    const atOrd = expected.find(({ origin }) => origin === 'ORD')!;
    expect(first).toMatch(new RegExp(`ORD +2001-01-0[\\dT:.Z-]+ +${atOrd.delay_min} +${atOrd.distance_mi} +${atOrd.destination}\n`));
  });

  test('each row of the training set holds what was known before its flight, and nothing of the flight or its minute', async () => {
    const last = (...keys: string[]) => `(select ${keys.join(', ')}, date, arg_max(delay, n) as delay_min, arg_max(distance, n) as distance_mi, arg_max(destination, n) as heading from ${flights} group by ${keys.join(', ')}, date)`;
    const expected = await duckdb(`
      select f.origin, f.destination, a.delay_min::int as airports__delay_min, a.distance_mi::int as airports__distance_mi, a.heading as airports__destination,
        r.delay_min::int as routes__delay_min, r.distance_mi::int as routes__distance_mi, f.delay::int as delay_to_foresee_min
      from ${flights} f
      asof left join ${last('origin')} a on f.origin = a.origin and f.date > a.date
      asof left join ${last('origin', 'destination')} r on f.origin = r.origin and f.destination = r.destination and f.date > r.date
      order by f.n`);
    const types = `{'airports__delay_min': 'int', 'airports__distance_mi': 'int', 'routes__delay_min': 'int', 'routes__distance_mi': 'int', 'delay_to_foresee_min': 'int'}`;
    const found = await duckdb(`select * exclude (just_before) from read_csv('${join(data.path, 'first.csv')}', header = true, types = ${types}, parallel = false)`);
    expect(found).toHaveLength(count);
    // Jest would take minutes to show how thousands of rows differ.
    expect(found.filter((row, at) => !isDeepStrictEqual(row, expected[at])).slice(0, 3)).toEqual([]);
    expect(first).toMatch(/Build a training set by replay.* 20,000 rows +[\d.]+ +[\d,]+ rows\/s/);
  });

  test('the windows of a flight are those of the file, and late rows change them only for who asks anew', async () => {
    const [, header, then, now] = /One flight, as it was known then and is now:\n(.*)\n(.*)\n(.*)\n/.exec(first)!.map((line) => line.trim().split(/ {2,}/));
    const told = (line: string[] | undefined) => Object.fromEntries(header!.map((name, at) => [name, line?.[at]])) as Record<string, string>;
    const [flight] = await duckdb(`select origin, destination, date, n from ${flights} where n = ${count / 2}`);
    const [week] = await duckdb(`
      with rows as (select date, arg_max(delay, n) as delay from ${flights} where origin = '${flight!.origin}' and date <= '${flight!.date}' and date > '${flight!.date}'::timestamp - interval 7 days group by date)
      select count(*)::int as departures, avg(delay) as mean, max(delay)::int as worst from rows`);
    expect(told(then)).toMatchObject({ flight: `${flight!.origin}-${flight!.destination}`, airport_week__departures_7d: String(week!.departures), airport_week__worst_delay_7d: String(week!.worst) });
    expect(Number(told(then).airport_week__mean_delay_7d)).toBeCloseTo(week!.mean, 8);
    expect(told(now).airport_week__worst_delay_7d).toBe('999');
  });

  test('the saved training set is the same to the last bit after late rows, and for a second demo', () => {
    const hash = /Saved: 20,000 rows with the hash (\w{64})/.exec(first)![1];
    for (const said of [first, second]) expect(said).toContain(`SAME: The log gives the same 20000 rows. Its hash is ${hash}.`);
    expect(second).toContain('An earlier demo had saved it');
  });

  test('says whether the delays have drifted, and what the vector of the model is made of', () => {
    expect(first).toMatch(/delay_min +(stable|drifted) +wasserstein +0\.\d+/);
    expect(first).toContain('feature service delay_model\n├─ feature airports@1:delay_min\n│  └─ feature group airports@1\n');
    expect(first).toContain('transformation airport_week@1');
  });

  test('the rebuilt view answers as the old one did', () => {
    expect(first).toContain('It answers as the old one did.');
    expect(first).toMatch(/Rebuild the online values from the log +40,000 rows/);
  });

  test('the commands that it prints for exploring work as printed', async () => {
    const printed = /Explore it:\n\n((?: {2}\S.*\n)+)/.exec(second)![1]!.trim().split('\n');
    expect(printed).toHaveLength(3);
    for (const command of printed) {
      const { stdout } = await promisify(execFile)('bash', ['--norc', '-c', command], { env }).catch((error: ExecFileException) => {
        throw new Error(`${command}\n${error.stderr}`);
      });
      expect(stdout).toMatch(/airports|ORD/);
      expect(stdout).not.toMatch(/error/i);
    }
  });
});
