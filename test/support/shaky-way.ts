import { once } from 'node:events';
import { connect as dial, createServer, type AddressInfo, type Socket } from 'node:net';

/** A port that leads to another one, until something happens on the way. */
export interface ShakyWay {
  readonly port: number;
  /** Ends all connections. */
  cut(): void;
  /** From now on nothing gets through, while both ends believe that their connections stand. */
  silence(): void;
  /** New connections get through again; those of before stay silent. */
  heal(): void;
  close(): void;
}

export async function shakyWay(to: number): Promise<ShakyWay> {
  const open = new Set<Socket>();
  let silent = false;
  const server = createServer((from) => {
    if (silent) return void open.add(from.on('error', () => undefined).resume());
    const target = dial(to, '127.0.0.1');
    for (const [one, other] of [[from, target], [target, from]] as const) {
      open.add(one);
      one.on('error', () => other.destroy()).on('close', () => (open.delete(one), other.destroy()));
      one.pipe(other);
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => open.forEach((socket) => socket.destroy());
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    // What comes is read and thrown away, so that neither end waits for room.
    silence() {
      silent = true;
      for (const socket of open) socket.removeAllListeners('close').unpipe().resume();
    },
    heal: () => (silent = false),
    close: () => (cut(), server.close()),
  };
}
