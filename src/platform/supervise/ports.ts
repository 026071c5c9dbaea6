import { createServer } from 'node:net';
import { variableOf } from '../config/index.js';
import { SetupError } from './setup-error.js';

/** An address that TARL is about to listen on, and the setting that moves it. */
export interface WantedPort {
  host: string;
  port: number;
  setting: string;
}

/** Fails with a SetupError that names every port which is taken, before anything is started that would trip over it. */
export async function checkPorts(wanted: readonly WantedPort[]): Promise<void> {
  // Port 0 is always free, but not on a host that is none of this machine's.
  const mistakes = await Promise.all(wanted.map(obstacle));
  const found = mistakes.filter((sentence) => sentence !== undefined);
  // A host that is none of this machine's is so for each of its ports.
  if (found.length > 0) throw new SetupError([...new Set(found)].join('\n'));
}

async function obstacle({ host, port, setting }: WantedPort): Promise<string | undefined> {
  const variable = variableOf(setting);
  const probe = createServer();
  try {
    await new Promise<void>((listening, failed) => probe.once('error', failed).listen(port, host, listening));
    await new Promise((closed) => probe.close(closed));
    return undefined;
  } catch (error) {
    switch ((error as NodeJS.ErrnoException).code) {
      case 'EADDRINUSE':
        return `Port ${port} on ${host} is in use: stop what uses it, or choose another one with ${variable}.`;
      case 'EACCES':
        return `This user may not listen on port ${port}: choose one above 1023 with ${variable}.`;
      case 'EADDRNOTAVAIL':
      case 'ENOTFOUND':
      case 'EAI_AGAIN':
        return `${host} is not an address of this machine: correct ${variableOf('host')}.`;
      default:
        throw error;
    }
  }
}
