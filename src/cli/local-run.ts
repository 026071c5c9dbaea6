import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the three wires are. */
export interface Addresses {
  rest: string;
  grpc: string;
  graphql: string;
}

/**
 * What a running platform leaves in its data folder, readable by its user alone, so that commands on the same machine
 * need no configuration: its addresses, and a key that is random and valid for this run only.
 */
export interface LocalRun {
  addresses: Addresses;
  key: string;
}

/** A key for one run of the platform. */
export function makeLocalKey(): string {
  return `tarl_local_${randomBytes(32).toString('base64url')}`;
}

/** Writes the facts of this run; addresses come last, since whoever finds them takes the platform for ready. */
export async function writeLocalRun(run: string, { addresses, key }: LocalRun): Promise<void> {
  await writeFile(join(run, 'key'), key, { mode: 0o600 });
  await writeFile(join(run, 'local.json'), `${JSON.stringify({ pid: process.pid, addresses }, undefined, 2)}\n`, { mode: 0o600 });
}

/** Takes them back, first of all when the platform stops. */
export async function removeLocalRun(run: string): Promise<void> {
  for (const name of ['local.json', 'key']) await rm(join(run, name), { force: true });
}

/** Reads them; undefined when no platform runs on this data folder. */
export async function readLocalRun(dataDir: string): Promise<LocalRun | undefined> {
  const [facts, key] = ['local.json', 'key'].map((name) => join(dataDir, 'run', name)) as [string, string];
  if (!existsSync(facts) || !existsSync(key)) return undefined;
  const addresses = addressesIn(await readFile(facts, 'utf8'));
  return addresses && { addresses, key: await readFile(key, 'utf8') };
}

/** Undefined in a file that is not whole: its platform is about to be ready, or was killed while it wrote. */
function addressesIn(text: string): Addresses | undefined {
  try {
    return (JSON.parse(text) as { addresses: Addresses }).addresses;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
