import { randomUUID } from 'node:crypto';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** A file that is being written, beside its final place until it is whole. */
export interface Unfinished {
  readonly path: string;
  /** Gives it its name for good: the hash of what it says. What is there already stays. */
  keep(hash: string): Promise<void>;
  /** Throws away what was begun. */
  abandon(): Promise<void>;
}

/** Files named after the hash of what they say, so that the same content is kept once and a name always means the same. */
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
    await mkdir(this.folder, { recursive: true });
    const path = join(this.folder, `${randomUUID()}.unfinished`);
    return {
      path,
      keep: async (hash) => {
        await mkdir(join(this.folder, hash.slice(0, 2)), { recursive: true });
        await rename(path, this.pathOf(hash));
      },
      abandon: () => rm(path, { force: true }),
    };
  }
}
