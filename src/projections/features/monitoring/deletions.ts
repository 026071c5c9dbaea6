/** Which entities were deleted, and where in the stream of their partition for the last time. */
export class Deletions {
  private readonly last = new Map<string, bigint>();

  get size(): number {
    return this.last.size;
  }

  note(partition: number, key: string, revision: bigint): void {
    this.last.set(`${partition} ${key}`, revision);
  }

  /** Whether rows that stand there in the stream are hidden by a deletion that came later. */
  hides(partition: number, key: string, revision: bigint): boolean {
    return this.last.size > 0 && revision < (this.last.get(`${partition} ${key}`) ?? -1n);
  }
}
