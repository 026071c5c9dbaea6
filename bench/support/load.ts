import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { percentile } from '../kit.js';

const run = promisify(execFile);

export interface Load {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly requests: number;
  readonly connections: number;
  readonly inFlight: number;
  readonly http1?: boolean;
  /** Requests a second of all connections together, evenly spaced; as fast as answers come where it is left out. */
  readonly perSecond?: number;
}

export interface LoadResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Drives a server with `h2load` (Debian: nghttp2-client): in C, so that the server is what saturates. */
export async function load({ url, headers, body, requests, connections, inFlight, http1 = false, perSecond }: Load): Promise<LoadResult> {
  const folder = await mkdtemp(join(tmpdir(), 'tarl-load-'));
  try {
    const [bodyFile, logFile] = [join(folder, 'body'), join(folder, 'log')];
    await writeFile(bodyFile, body);
    const settings = ['-n', `${requests}`, '-c', `${connections}`, '-m', `${http1 ? 1 : inFlight}`, '-d', bodyFile, '--log-file', logFile, ...(http1 ? ['--h1'] : []), ...(perSecond === undefined ? [] : pace(perSecond, connections))];
    const { stdout } = await run('h2load', [...settings, ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]), url], { maxBuffer: 1 << 24 }).catch(needsH2load);
    const failed = Number(/(\d+) failed/.exec(stdout)?.[1] ?? 0) + requests - Number(/status codes: (\d+) 2xx/.exec(stdout)?.[1] ?? 0);
    if (failed > 0) throw new Error(`${failed} of ${requests} requests to ${url} failed: ${stdout}`);
    const latencies = (await readFile(logFile, 'utf8')).trim().split('\n').map((line) => Number(line.split('\t')[2]) / 1000);
    return { perSecond: Number(/finished in .*?, ([\d.]+) req\/s/.exec(stdout)![1]), p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** h2load sends what is due on a connection at once, so each has a beat of its own: they are opened one after another, within one beat of the first. */
const pace = (perSecond: number, connections: number): string[] => ['--rps', `${perSecond / connections}`, '-r', '1', '--rate-period', `${Math.round(1000 / perSecond)}ms`];

/** A gRPC message as it goes over the wire: not compressed, its length, itself. */
export function grpcFrame(message: Uint8Array): Uint8Array {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}

export const grpcHeaders = { 'content-type': 'application/grpc', te: 'trailers' };

function needsH2load(error: NodeJS.ErrnoException): never {
  if (error.code === 'ENOENT') throw new Error('This bench drives the servers with h2load: install it (Debian: apt-get install nghttp2-client)');
  throw error;
}
