import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** What the node's pages tell. Each is asked when its page is. */
export interface PageSources {
  /** The text that Prometheus scrapes. */
  metrics(): string;
  /** As the real server's page of the same name has it. */
  info(): object;
}

/** The HTTP/1.1 side of the node, given its connections one by one. */
export interface Pages {
  accept(connection: Duplex): void;
  stop(): void;
}

/** Serves `/metrics`, `/info` and `/health/live`. */
export function createPages(sources: PageSources): Pages {
  const server = createServer({ keepAliveTimeout: 5_000, requestTimeout: 10_000 }, (request, response) => answer(request, response, sources));
  return {
    accept: (connection) => void server.emit('connection', connection),
    stop: () => server.closeAllConnections(),
  };
}

function answer({ method, url = '' }: IncomingMessage, response: ServerResponse, sources: PageSources): void {
  if (method !== 'GET' && method !== 'HEAD') return end(response, 405, 'text/plain', 'These pages are only read.\n');
  switch (url.split('?')[0]) {
    case '/health/live':
      return void response.writeHead(204).end();
    case '/metrics':
      return end(response, 200, 'text/plain; version=0.0.4; charset=utf-8', sources.metrics());
    case '/info':
      return end(response, 200, 'application/json', JSON.stringify(sources.info()));
    default:
      return end(response, 404, 'text/plain', 'There are /metrics, /info and /health/live here; everything else is gRPC.\n');
  }
}

function end(response: ServerResponse, code: number, type: string, body: string): void {
  response.writeHead(code, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
}
