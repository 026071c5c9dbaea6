import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One request as the API got it. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

/** A stand-in for the API that records requests and gives the answers it is told, and a profile that leads to it. */
export async function fakeApi() {
  const received: Received[] = [];
  let answer: { status: number; body: unknown; headers?: Record<string, string> } = { status: 200, body: {} };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    received.push({ method: request.method!, url: request.url!, headers: request.headers, body: text === '' ? undefined : JSON.parse(text) });
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers }).end(JSON.stringify(answer.body));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const rest = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const config = await mkdtemp(join(tmpdir(), 'tarl-test-cli-'));
  await mkdir(join(config, 'tarl'));
  await writeFile(join(config, 'tarl/config.json'), JSON.stringify({ default: { rest, key: 'key-of-profile' }, gone: { rest: 'http://127.0.0.1:9', key: 'k' } }));
  return {
    received,
    env: { XDG_CONFIG_HOME: config, TARL_DATA_DIR: join(config, 'no-data') },
    answers: (body: unknown, status = 200, headers: Record<string, string> = {}) => void (answer = { status, body, headers }),
    close: async () => {
      server.close();
      server.closeAllConnections();
      await rm(config, { recursive: true });
    },
  };
}
