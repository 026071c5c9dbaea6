import type { Socket } from 'node:net';

/** How HTTP/2 begins; no method of HTTP/1.1 begins like this. */
const PREFACE = 'PRI';
/** A connection that says nothing for so long is nobody's. */
const SILENCE_MS = 10_000;

/** Looks at the first bytes of a connection and hands it, with them, to the side that speaks its protocol. */
export function byProtocol(socket: Socket, sides: { http2(socket: Socket): void; http1(socket: Socket): void }): void {
  const drop = () => socket.destroy();
  const look = () => {
    const first = socket.read(PREFACE.length) as Buffer | null;
    if (first === null) return;
    socket.off('readable', look);
    socket.off('error', drop);
    socket.off('end', drop);
    socket.setTimeout(0, drop);
    socket.off('timeout', drop);
    socket.unshift(first);
    if (first.toString('latin1') === PREFACE) sides.http2(socket);
    else sides.http1(socket);
  };
  socket.setTimeout(SILENCE_MS, drop);
  socket.on('error', drop);
  socket.on('end', drop);
  socket.on('readable', look);
}
