import type { Server } from '@grpc/grpc-js';
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { DirectCall } from './direct-call.js';
import type { GuardedUnary } from './guard.js';

/** What grpc-js keeps to itself of a bound server; a test says when a release has changed it. */
interface BoundServer {
  readonly http2Servers: ReadonlyMap<Http2Server, object>;
}

/**
 * Answers unary calls on HTTP/2 itself. For each of them grpc-js makes a second stream, a queue for its one message and several
 * copies of its headers, which takes as long as a small read does. Streams of messages stay with grpc-js, and so does what is
 * not plain: packed messages and time limits that are none. To be called once the server is bound.
 */
export function answerDirectly(server: Server, unaries: readonly GuardedUnary[], mostBytes: number): void {
  const direct = new Map(unaries.map((rpc) => [rpc.path, rpc]));
  for (const http2 of (server as unknown as BoundServer).http2Servers.keys()) {
    const others = http2.listeners('stream');
    http2.removeAllListeners('stream');
    http2.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, ...more: unknown[]) => {
      const rpc = direct.get(headers[':path']!);
      const timeoutMs = rpc && isPlain(headers) ? timeoutOf(headers['grpc-timeout']) : undefined;
      if (rpc !== undefined && timeoutMs !== undefined) new DirectCall(stream, headers, { rpc, mostBytes, timeoutMs });
      else for (const serve of others) serve.call(http2, stream, headers, ...more);
    });
  }
}

function isPlain({ 'content-type': type, 'grpc-encoding': encoding = 'identity' }: IncomingHttpHeaders): boolean {
  return encoding === 'identity' && type?.startsWith('application/grpc') === true;
}

const unitsMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000_001 };

/** How long the caller waits, in milliseconds; undefined where the header says no time. */
function timeoutOf(header: string | string[] | undefined): number | undefined {
  if (header === undefined) return Infinity;
  const [, count, unit] = /^(\d{1,8})([HMSmun])$/.exec(`${header}`) ?? [];
  return count === undefined ? undefined : Number(count) * unitsMs[unit!]!;
}
