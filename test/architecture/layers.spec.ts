import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

test('the layers hold: a pure domain, Nest only in the wires, the store only behind its port', async () => {
  const run = promisify(execFile)(process.execPath, ['node_modules/dependency-cruiser/bin/dependency-cruise.mjs', 'src', '--config', '.dependency-cruiser.mjs', '--output-type', 'err']);
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  expect(stdout).toContain('no dependency violations found');
});
