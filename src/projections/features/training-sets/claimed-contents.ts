import type { Claim, Contents, IsNamed, Unfinished } from '../../../platform/contents.js';

/** The files of saved training sets as one save sees them: it claims those that it makes or needs, until the log names them. */
export class ClaimedContents {
  private readonly claims = new Map<string, Claim>();

  constructor(
    private readonly contents: Contents,
    private readonly isNamed: IsNamed,
  ) {}

  has(hash: string): Promise<boolean> {
    return this.contents.has(hash);
  }

  begin(): Promise<Unfinished> {
    return this.contents.begin();
  }

  async claim(hash: string): Promise<void> {
    if (!this.claims.has(hash)) this.claims.set(hash, await this.contents.claim(hash));
  }

  /** The save is in the log, and names all of them. */
  async release(): Promise<void> {
    for (const claim of this.claims.values()) await claim.release();
  }

  /** What no saved training set names goes. Where that cannot be found out now, the claims stay, and the job looks later. */
  async remove(): Promise<void> {
    for (const claim of this.claims.values()) await this.contents.removeUnnamed(claim, this.isNamed).catch(() => 'the claim stays');
  }

  /** Does a part of the save; when it fails, and the save is surely not in the log, its files go. */
  async orRemove<Result>(work: () => Promise<Result>, isOut: (error: unknown) => boolean): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (isOut(error)) await this.remove();
      throw error;
    }
  }
}
