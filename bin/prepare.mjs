#!/usr/bin/env node
/**
 * Brings a checkout to the point where it can run: dependencies installed, sources built. Costs some 30 ms when nothing
 * changed. Runs on whatever Node the user has, before anything is installed, so it is plain JavaScript on Node alone.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withProgress } from './progress.mjs';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The Node 24 that package.json pins; everything after this file runs on it. */
export const pinnedNode = join(root, 'node_modules/node/bin/node');

const sourceFolders = ['src', 'bench', 'demo', 'migrations'];
const outputFolder = join(root, 'dist');
const installStamp = join(root, 'node_modules/.tarl-installed');
const buildStamp = join(outputFolder, '.built');

/** Installs and builds what is missing or out of date. Throws an Error whose message is a sentence for the user. */
export async function prepare() {
  checkNodeVersion();
  await install();
  await build();
}

function checkNodeVersion() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    throw new Error(`TARL needs Node 20.19 or newer to set itself up; this is Node ${process.versions.node}.`);
}

async function install() {
  const wanted = digest([readFileSync(join(root, 'package-lock.json'))]);
  if (readStamp(installStamp) === wanted && existsSync(pinnedNode)) return;

  // Not `npm ci`: it empties node_modules, which would pull the floor from under a running TARL. Without saving, the
  // versions are those of the lock file.
  await withProgress('Installing dependencies', (report) => npm(['install', '--no-save', '--loglevel=http'], report));
  if (!existsSync(pinnedNode))
    throw new Error('npm left out Node 24, which comes with an install script; allow scripts and run `npm rebuild node`.');
  writeFileSync(installStamp, wanted);
}

/** Runs the npm that runs us, or else the one on the path, and reports how many packages it has fetched. */
async function npm(args, report) {
  const script = process.env.npm_execpath;
  const [program, first] = script?.endsWith('.js') ? [process.execPath, [script]] : ['npm', []];
  let fetched = 0;
  await run(program, [...first, ...args], (line) => {
    if (/^npm http .*\.tgz/.test(line)) report(`${++fetched} packages fetched`);
  });
}

/** Compiles with SWC when a source is newer than, or gone since, the last build. */
export async function build() {
  const sources = sourceFolders.flatMap((folder) => filesBelow(join(root, folder)));
  const settings = ['.swcrc', 'package-lock.json'].map((name) => join(root, name));
  const wanted = digest([...sources, ...settings].map((file) => {
    const { mtimeMs, size } = statSync(file);
    return `${relative(root, file)} ${mtimeMs} ${size}\n`;
  }));
  if (readStamp(buildStamp) === wanted) return;

  await withProgress('Building', () =>
    run(pinnedNode, [join(root, 'node_modules/@swc/cli/bin/swc.js'), ...sourceFolders, '-d', outputFolder, '--quiet']));
  removeOrphans(new Set(sources.map((file) => relative(root, file).replace(/\.ts$/, '.js'))));
  mkdirSync(outputFolder, { recursive: true });
  writeFileSync(buildStamp, wanted);
}

/** Deletes compiled files whose source is gone, so that nothing imports or runs them by accident. */
function removeOrphans(expected) {
  for (const file of filesBelow(outputFolder)) {
    const compiled = relative(outputFolder, file).replace(/\.map$/, '');
    if (compiled.endsWith('.js') && !expected.has(compiled)) rmSync(file);
  }
}

function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

function digest(parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

function readStamp(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

/** Runs a program to its end, passing on its lines; fails with what it printed when it fails. */
function run(program, args, onLine = () => {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    const tail = [];
    for (const stream of [child.stdout, child.stderr]) {
      let rest = '';
      stream.setEncoding('utf8').on('data', (text) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop();
        for (const line of lines) {
          onLine(line);
          if (!/^npm (http|warn) /.test(line) && tail.push(line) > 30) tail.shift();
        }
      });
    }
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${[program, ...args].join(' ')} ended with ${signal ?? code}:\n${tail.join('\n')}`));
    });
  });
}

/** Ends the process with a sentence instead of a stack: what fails here is the machine, not the program. */
export function giveUp(error) {
  console.error(error.message);
  process.exit(1);
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await prepare().catch(giveUp);
