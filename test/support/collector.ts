import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as a collector got it, whichever format it came in. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly name: string;
  /** The spans it is linked to; Zipkin has no place for them. */
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

/** A collector that takes traces over OTLP as JSON, and in Zipkin's format, and keeps them. */
export interface Collector {
  readonly otlp: string;
  readonly zipkin: string;
  readonly spans: readonly CollectedSpan[];
  close(): Promise<void>;
}

/** Starts one on a free port. Processes that send OTLP must have `OTEL_EXPORTER_OTLP_PROTOCOL=http/json`. */
export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const readers: Record<string, (body: any) => CollectedSpan[]> = { '/v1/traces': fromOtlp, '/api/v2/spans': fromZipkin };
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const read = readers[request.url!];
    if (read) spans.push(...read(JSON.parse(Buffer.concat(pieces).toString())));
    response.writeHead(read ? 202 : 404).end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    otlp: url,
    zipkin: `${url}/api/v2/spans`,
    spans,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const fromOtlp = ({ resourceSpans }: any): CollectedSpan[] =>
  resourceSpans
    .flatMap(({ scopeSpans }: any) => scopeSpans.flatMap(({ spans }: any) => spans))
    .map(({ traceId, spanId, parentSpanId, name, links = [] }: any) => ({ traceId, id: spanId, parentId: parentSpanId, name, links }));

const fromZipkin = (spans: any): CollectedSpan[] => spans.map(({ traceId, id, parentId, name }: any) => ({ traceId, id, parentId, name, links: [] }));
