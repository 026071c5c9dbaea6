import { X509Certificate } from 'node:crypto';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { byProtocol } from './http/protocol.js';
import type { Measures } from './http/measures.js';
import type { Pages } from './http/pages.js';
import type { NodeServer } from './node-server.js';

/** An address that something else listens on, told in one sentence for the operator. */
export class PortInUse extends Error {
  override name = 'PortInUse';
}

/** A certificate and a key that cannot be used, told in one sentence for the operator. */
export class BadIdentity extends Error {
  override name = 'BadIdentity';
}

/** A certificate (with what vouches for it) and its key, as PEM. */
export interface TlsIdentity {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

/** What serves the connections of a node. */
export interface Sides {
  readonly grpc: NodeServer;
  readonly pages: Pages;
  readonly measures: Measures;
}

/** The listening socket of a node. */
export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens, with TLS if there is an identity for it, and hands every connection to gRPC or to the pages. */
export async function startListening(host: string, port: number, { grpc, pages, measures }: Sides, tls?: TlsIdentity): Promise<Listener> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    measures.connected();
    socket.once('close', () => {
      sockets.delete(socket);
      measures.disconnected();
    });
  };
  const serve = (socket: Socket) => byProtocol(socket, { http2: (one) => grpc.accept(one), http1: (one) => pages.accept(one) });
  const server = tls === undefined ? createServer({ noDelay: true }, serve) : createSecured(tls, serve);
  server.on('connection', keep);
  await listen(server, host, port);
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      grpc.stop();
      pages.stop();
      const lastResort = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, CLOSE_MS);
      await closed;
      clearTimeout(lastResort);
    },
  };
}

function createSecured(tls: TlsIdentity, serve: (socket: Socket) => void): Server {
  try {
    const server = createTlsServer({ ...tls, ALPNProtocols: ['h2', 'http/1.1'], noDelay: true, minVersion: 'TLSv1.2' }, serve);
    requireValid(new X509Certificate(tls.cert));
    return server;
  } catch (error) {
    const { code, message, reason } = error as NodeJS.ErrnoException & { reason?: string };
    if (code?.startsWith('ERR_OSSL') || code?.startsWith('ERR_CRYPTO') || code?.startsWith('ERR_TLS')) throw new BadIdentity(`The certificate and its key cannot be used: ${reason ?? message}.`, { cause: error });
    throw error;
  }
}

/** No client takes a certificate before or after its time, and says so less clearly. */
function requireValid({ validFromDate, validToDate }: X509Certificate): void {
  if (validToDate.getTime() < Date.now()) throw new BadIdentity(`The certificate cannot be used: it expired on ${validToDate.toISOString()}.`);
  if (validFromDate.getTime() > Date.now()) throw new BadIdentity(`The certificate cannot be used: it is valid from ${validFromDate.toISOString()} on.`);
}

/** Connections that are still there so long after the stop are cut. */
const CLOSE_MS = 1000;

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new PortInUse(`Port ${port} of ${host} is in use by another process.`) : error);
    });
    server.listen(port, host, () => resolve());
  });
}
