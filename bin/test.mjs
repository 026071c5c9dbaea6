#!/usr/bin/env node
/**
 * `npm test`: prepares the checkout, runs every suite (or those named as arguments), and ends with one line of counts.
 * With `--again`, the files in which something failed are run once more, alone, and what passes only then is named.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative } from 'node:path';
import { giveUp, pinnedNode, prepare, root } from './prepare.mjs';

/** A machine on which more files fail than this is not only busy. */
const mostFilesAgain = 3;

/** Jest has so long to end once it has told its results. */
const longestEnd_ms = 120_000;

/** Stands for a file where Jest fails for a reason that is in none. */
const itself = 'Jest itself';

await prepare().catch(giveUp);

const folder = mkdtempSync(join(tmpdir(), 'tarl-test-'));
process.once('exit', () => rmSync(folder, { recursive: true }));
const again = process.argv.includes('--again');
let running;
let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    stopped = true;
    running?.kill(signal);
  });
}

const files = await jest(...process.argv.slice(2).filter((argument) => argument !== '--again'));
const failedFiles = [...files.keys()].filter((name) => files.get(name).failed.length > 0);
if (again && !stopped && !files.has(itself) && failedFiles.length > 0 && failedFiles.length <= mostFilesAgain) {
  console.log(`\nOnce more, alone: ${failedFiles.map((name) => relative(root, name)).join(', ')}\n`);
  // What fails again may leave something open, for which Jest would wait without end where it has no workers.
  for (const [name, file] of await jest('--runInBand', '--forceExit', '--runTestsByPath', ...failedFiles)) {
    for (const test of (files.get(name)?.failed ?? []).filter((test) => !file.failed.includes(test))) console.log(`failed beside others, passed alone: ${relative(root, name)}: ${test}`);
    files.set(name, file);
  }
}

const sum = (of) => [...files.values()].reduce((total, file) => total + of(file), 0);
const [passed, failed] = [sum((file) => file.passed), sum((file) => file.failed.length)];
console.log(`tests: ${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

/** Runs Jest, and gives of each file how many tests passed and which failed. */
async function jest(...args) {
  const results = join(folder, 'results.json');
  rmSync(results, { force: true });
  running = spawn(
    pinnedNode,
    [
      // Jest keeps some of each suite that a worker has run; a small machine's default would not hold them all.
      '--max-old-space-size=4096', '--experimental-vm-modules', '--disable-warning=ExperimentalWarning', join(root, 'node_modules/jest/bin/jest.js'),
      '--json', `--outputFile=${results}`, ...args,
    ],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, PATH: `${dirname(pinnedNode)}${delimiter}${process.env.PATH}` },
    },
  );
  // Where it has no workers, Jest would wait without end for what a suite has left open.
  const looking = setInterval(() => existsSync(results) && Date.now() - statSync(results).mtimeMs > longestEnd_ms && running.kill('SIGKILL'), 1_000);
  const [code, signal] = await once(running, 'exit').catch(giveUp);
  clearInterval(looking);
  return filesOf(results, code ?? signal);
}

/** A suite that does not even load counts as one failed test, and so does a Jest that fails for another reason. */
function filesOf(results, code) {
  const files = new Map();
  try {
    for (const { name, status, assertionResults } of JSON.parse(readFileSync(results, 'utf8')).testResults) {
      const failed = assertionResults.filter((test) => test.status === 'failed').map((test) => test.fullName);
      if (status === 'failed' && failed.length === 0) failed.push('the file as a whole');
      files.set(name, { passed: assertionResults.filter((test) => test.status === 'passed').length, failed });
    }
  } catch (error) {
    console.error(`Jest left no results: ${error.message}`);
  }
  if (code !== 0 && [...files.values()].every((file) => file.failed.length === 0)) files.set(itself, { passed: 0, failed: [`ended with ${code}`] });
  return files;
}
