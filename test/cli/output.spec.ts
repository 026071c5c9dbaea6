import { expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { resolve } from 'node:path';

test('a command ends only when a slow reader has taken all of its output', async () => {
  const lines = Array.from({ length: 2000 }, (_, line) => JSON.stringify({ line, text: 'x'.repeat(1000) }));
  const api = createServer((_, response) => response.setHeader('content-type', 'application/x-ndjson').end(`${lines.join('\n')}\n`)).listen(0, '127.0.0.1');
  await once(api, 'listening');
  const profile = { rest: `http://127.0.0.1:${(api.address() as AddressInfo).port}` };
  const child = spawn(resolve('node_modules/node/bin/node'), [resolve('dist/src/cli/main.js'), 'replay'], {
    env: { PATH: process.env.PATH, HOME: '/nonexistent', TARL_API_KEY: 'tarl_x', TARL_HTTP_PORT: new URL(profile.rest).port, TARL_DATA_DIR: '/nonexistent' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for await (const piece of child.stdout.setEncoding('utf8')) {
    text += piece as string;
    // A slow reader: the command has written its last line long before it is read.
    await setTimeout(5);
  }
  api.close();
  expect(text.trim().split('\n')).toEqual(lines);
});
