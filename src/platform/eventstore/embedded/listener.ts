import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { NodeServer } from './node-server.js';

/** An address that something else listens on, told in one sentence for the operator. */
export class PortInUse extends Error {
  override name = 'PortInUse';
}

/** The listening socket of a node. */
export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens and hands every connection to the node. */
export async function startListening(host: string, port: number, node: NodeServer): Promise<Listener> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    node.accept(socket);
  });
  await listen(server, host, port);
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      node.stop();
      const lastResort = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, CLOSE_MS);
      await closed;
      clearTimeout(lastResort);
    },
  };
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
