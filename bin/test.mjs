#!/usr/bin/env node
/** `npm test`: prepares the checkout, runs every suite (or those named as arguments), and ends with one line of counts. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { giveUp, pinnedNode, prepare, root } from './prepare.mjs';

await prepare().catch(giveUp);

const folder = mkdtempSync(join(tmpdir(), 'tarl-test-'));
const results = join(folder, 'results.json');
const jest = spawn(
  pinnedNode,
  [
    '--experimental-vm-modules', '--disable-warning=ExperimentalWarning', join(root, 'node_modules/jest/bin/jest.js'),
    '--json', `--outputFile=${results}`, ...process.argv.slice(2),
  ],
  {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, PATH: `${dirname(pinnedNode)}${delimiter}${process.env.PATH}` },
  },
);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => jest.kill(signal));
jest.once('error', giveUp);
jest.once('exit', (code) => {
  const { passed, failed } = count(code);
  rmSync(folder, { recursive: true });
  console.log(`tests: ${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
});

/** A suite that does not even load counts as one failed test, and so does a Jest that fails for another reason. */
function count(code) {
  let passed = 0;
  let failed = 0;
  try {
    const summary = JSON.parse(readFileSync(results, 'utf8'));
    passed = summary.numPassedTests;
    failed = summary.numFailedTests + summary.numRuntimeErrorTestSuites;
  } catch (error) {
    console.error(`Jest left no results: ${error.message}`);
  }
  return { passed, failed: code !== 0 && failed === 0 ? 1 : failed };
}
