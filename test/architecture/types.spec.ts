import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

test('every source and every test fits its types', async () => {
  const run = promisify(execFile)(process.execPath, ['node_modules/typescript/bin/tsc', '--noEmit', '--pretty', 'false'], { maxBuffer: 1 << 24 });
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  expect(stdout).toBe('');
}, 300_000);
