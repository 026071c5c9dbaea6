import { execFile, spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Bench, type Row, tableOf } from './kit.js';

/** Every suite, one line each: its name and where it is. */
const suites: Record<string, () => Promise<Bench>> = {
  start: async () => (await import('./start.js')).startBench,
  eventstore: async () => (await import('./eventstore.js')).eventstoreBench,
  growth: async () => (await import('./growth.js')).growthBench,
  commands: async () => (await import('./commands.js')).commandsBench,
  features: async () => (await import('./features.js')).featuresBench,
  import: async () => (await import('./import.js')).importBench,
  emmett: async () => (await import('./emmett.js')).emmettBench,
  jobs: async () => (await import('./jobs.js')).jobsBench,
  historical: async () => (await import('./historical.js')).historicalBench,
  past: async () => (await import('./past.js')).pastBench,
  rebuild: async () => (await import('./rebuild.js')).rebuildBench,
  'long-log': async () => (await import('./long-log.js')).longLogBench,
  snapshots: async () => (await import('./snapshots.js')).snapshotsBench,
  transformations: async () => (await import('./transformations.js')).transformationsBench,
};

/** Those that drive the servers from outside, with h2load (Debian: nghttp2-client). */
const drivenByH2load = new Set(['features']);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { scale: { type: 'string', default: '1' }, json: { type: 'boolean', default: false }, readme: { type: 'boolean', default: false }, here: { type: 'boolean', default: false } },
});

/** One suite in this process; the parent reads the rows from standard output. */
async function runHere(name: string): Promise<void> {
  const bench = await suites[name]!();
  const rows = await bench({ scale: Number(values.scale), log: (line) => process.stderr.write(`${line}\n`) });
  process.stdout.write(JSON.stringify(rows), () => process.exit(0));
}

/** Each suite gets a process of its own, so that none inherits another's heap. */
function runApart(name: string): Promise<Row[]> {
  return new Promise((resolve, reject) => {
    const child = execFile(process.execPath, ['--expose-gc', fileURLToPath(import.meta.url), name, '--here', '--scale', values.scale], { maxBuffer: 1 << 24 }, (error, stdout) =>
      error ? reject(error) : resolve(JSON.parse(stdout) as Row[]),
    );
    child.stderr?.pipe(process.stderr);
  });
}

/** Replaces what stands between the README's markers by the table. */
async function writeReadme(table: string): Promise<void> {
  const text = await readFile('README.md', 'utf8');
  await writeFile('README.md', text.replace(/(<!-- bench:start -->\n)[^]*?(<!-- bench:end -->)/, (_, start: string, end: string) => `${start}${table}\n${end}`));
}

async function main(): Promise<void> {
  const wanted = positionals.length ? positionals : Object.keys(suites);
  const unknown = wanted.filter((name) => !suites[name]);
  if (unknown.length) throw new Error(`No bench is called ${unknown.join(', ')}; there are ${Object.keys(suites).join(', ')}`);
  if (values.here) return runHere(wanted[0]!);
  if (wanted.some((name) => drivenByH2load.has(name)) && spawnSync('h2load', ['--version']).error) throw new Error('h2load is needed: install it (Debian: apt-get install nghttp2-client)');
  const rows: Row[] = [];
  for (const name of wanted) {
    process.stderr.write(`${name}\n`);
    rows.push(...(await runApart(name).catch(whatFailed(name))));
  }
  console.log(values.json ? JSON.stringify(rows, null, 2) : tableOf(rows));
  if (values.readme && process.exitCode === undefined) await writeReadme(tableOf(rows));
}

/** A suite that fails says so and takes none of the others' rows along; the README is left as it is. */
const whatFailed = (name: string) => (error: Error): Row[] => {
  process.stderr.write(`${name} failed: ${error.message.split('\n', 1)[0]}\n`);
  process.exitCode = 1;
  return [];
};

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
