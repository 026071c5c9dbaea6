import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, lchown, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SetupError } from '../supervise/setup-error.js';

const execute = promisify(execFile);

/** As whom Postgres runs: what stands before its command line, how it is spawned, and the user its files belong to. */
export interface Identity {
  prefix: readonly string[];
  spawn: { uid?: number; gid?: number };
  owner: number;
}

/**
 * Chooses how to run Postgres, which refuses to run as root. For an ordinary user there is nothing to choose. For root
 * the first of these that can reach both the program and the data is taken (docs/decisions/postgres-as-root.md):
 * a user namespace, where root has no name and the files stay root's; another user who may pass private folders;
 * another user without that right.
 */
export async function chooseIdentity(program: string, dir: string): Promise<Identity> {
  const self = process.getuid?.() ?? -1;
  if (self !== 0) return { prefix: [], spawn: {}, owner: self };

  const { uid, gid } = await unprivilegedUser();
  const drop = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  const candidates: Identity[] = [
    { prefix: ['unshare', '--user', '--'], spawn: {}, owner: 0 },
    { prefix: [...drop, '--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--'], spawn: {}, owner: uid },
    { prefix: [], spawn: { uid, gid }, owner: uid },
  ];
  const obstacles: unknown[] = [];
  for (const candidate of candidates) {
    await chown(dir, candidate.owner, -1);
    try {
      await probe(candidate, program, dir);
      await giveFiles(join(dir, 'data'), candidate.owner);
      return candidate;
    } catch (error) {
      obstacles.push(error);
    }
  }
  throw new SetupError(
    `Postgres refuses to run as root, and no other user can reach ${dir}: ` +
    'start TARL as an ordinary user, or set TARL_POSTGRES_URL to a Postgres 18 of your own.',
    { cause: new AggregateError(obstacles) },
  );
}

/** Fails unless this identity is not root, can run the program and can write into the folder. */
async function probe({ prefix, spawn }: Identity, program: string, dir: string): Promise<void> {
  const check = '[ "$(id -u)" != 0 ] && "$1" --version && [ -w "$2" ] && [ -x "$2" ]';
  const [command, ...args] = [...prefix, 'sh', '-c', check, 'probe', program, dir];
  await execute(command!, args, spawn);
}

async function unprivilegedUser(): Promise<{ uid: number; gid: number }> {
  const ask = 'for user in postgres nobody; do id -u $user && id -g $user && exit; done 2>/dev/null';
  const [uid, gid] = (await execute('sh', ['-c', ask])).stdout.split('\n').map(Number);
  return { uid: uid!, gid: gid! };
}

/** A folder may have been filled under another identity, by root on another machine or by an ordinary user. */
async function giveFiles(data: string, owner: number): Promise<void> {
  if (!existsSync(data) || (await stat(data)).uid === owner) return;
  for (const name of await readdir(data, { recursive: true })) await lchown(join(data, name), owner, -1);
  await chown(data, owner, -1);
}
