import { randomUUID } from 'node:crypto';
import { access, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from './make-folder.js';

/** A file that is being written, beside its final place until it is whole. */
export interface Unfinished {
  readonly path: string;
  /** Gives it its name for good: the hash of what it says. What is there already says the same. */
  keep(hash: string): Promise<void>;
  /** Throws away what was begun. */
  abandon(): Promise<void>;
}

/** Says that work under way needs a content. It outlives a crash, and so tells what the work may have left behind. */
export interface Claim {
  readonly hash: string;
  readonly name: string;
  /** Ends it: the content is named for good by now, or gone. */
  release(): Promise<void>;
}

/** Whether a content is named for good. */
export type IsNamed = (hash: string) => Promise<boolean>;

const unfinished = '.unfinished';
const claimed = '.claimed';

/**
 * Files named after the hash of what they say, so that the same content is kept once and a name always means the same.
 * Whoever makes or needs one claims it first, until it is named for good; nothing is ever removed that was not claimed.
 */
export class Contents {
  constructor(
    private readonly folder: string,
    private readonly ending: string,
  ) {}

  pathOf(hash: string): string {
    return join(this.folder, hash.slice(0, 2), `${hash}${this.ending}`);
  }

  has(hash: string): Promise<boolean> {
    return access(this.pathOf(hash)).then(
      () => true,
      () => false,
    );
  }

  async begin(): Promise<Unfinished> {
    makeFolder(this.folder);
    const path = join(this.folder, `${randomUUID()}${unfinished}`);
    return {
      path,
      keep: async (hash) => {
        makeFolder(join(this.folder, hash.slice(0, 2)));
        await rename(path, this.pathOf(hash));
      },
      abandon: () => rm(path, { force: true }),
    };
  }

  /** Claims a content, whether it is there yet or not. */
  async claim(hash: string): Promise<Claim> {
    makeFolder(this.folder);
    const claim = this.claimNamed(`${hash}.${randomUUID()}${claimed}`);
    await writeFile(join(this.folder, claim.name), '');
    return claim;
  }

  /**
   * Removes the content of a claim that nobody names, and ends the claim. Where somebody else claims it too, both are left to
   * a later clearing, except that claims older than `staleMs` count no more.
   */
  async removeUnnamed(claim: Claim, isNamed: IsNamed, staleMs = Infinity): Promise<void> {
    const { hash } = claim;
    const [path, aside] = [this.pathOf(hash), `${this.pathOf(hash)}.removing`];
    // Whoever died in here has left it aside.
    if (!(await this.has(hash))) await rename(aside, path).catch(unlessMissing);
    if (!(await this.has(hash))) return claim.release();
    if (await isNamed(hash)) return claim.release();
    if (await this.isClaimedBesides(claim, staleMs)) return;
    await rename(path, aside);
    // Who claims it from now on finds it gone and makes it anew; who did so before is seen by this second look.
    let needed = true;
    try {
      needed = (await this.isClaimedBesides(claim, staleMs)) || (await isNamed(hash));
    } finally {
      await (needed ? rename(aside, path).catch(unlessMissing) : rm(aside, { force: true }));
    }
    if (!needed) await claim.release();
  }

  /** Removes what work left behind that ended without a word so long ago: what was never whole, and contents that nobody names. */
  async clearLeftBehind(staleMs: number, isNamed: IsNamed): Promise<void> {
    for (const name of await this.names()) {
      if (!name.endsWith(unfinished) && !name.endsWith(claimed)) continue;
      if ((await this.ageMs(name)) < staleMs) continue;
      if (name.endsWith(unfinished)) await rm(join(this.folder, name), { force: true });
      else await this.removeUnnamed(this.claimNamed(name), isNamed, staleMs);
    }
  }

  private claimNamed(name: string): Claim {
    return { name, hash: name.slice(0, name.indexOf('.')), release: () => rm(join(this.folder, name), { force: true }) };
  }

  private async isClaimedBesides({ hash, name: own }: Claim, staleMs: number): Promise<boolean> {
    for (const name of await this.names()) {
      if (name !== own && name.endsWith(claimed) && name.startsWith(`${hash}.`) && (await this.ageMs(name)) < staleMs) return true;
    }
    return false;
  }

  private names(): Promise<string[]> {
    return readdir(this.folder).catch((error: unknown) => unlessMissing(error) ?? []);
  }

  /** How long ago a file was last written; what has gone meanwhile is as old as can be. */
  private async ageMs(name: string): Promise<number> {
    const found = await stat(join(this.folder, name)).catch(unlessMissing);
    return found ? Date.now() - found.mtimeMs : Infinity;
  }
}

/** What another process has removed or renamed first is no failure. */
function unlessMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
