/** An event as the model keeps it. */
export interface ModelEvent {
  readonly id: string;
  readonly revision: number;
}

type Expected = 'any' | 'none' | 'exists' | number;
export type Outcome = { readonly next: number } | 'wrong-expected-version' | 'stream-deleted';

/** One stream in the simplest form that could be right: everything that was ever written to it, and what hides it. */
class ModelStream {
  readonly events: ModelEvent[] = [];
  maxCount = Infinity;
  truncateBefore = 0;
  hasMetadata = false;
  isDeleted = false;
  isTombstoned = false;

  get last(): number {
    return this.events.length - 1;
  }

  get readable(): ModelEvent[] {
    const first = Math.max(this.truncateBefore, this.events.length - this.maxCount);
    return this.events.filter(({ revision }) => revision >= first);
  }

  refuses(expected: Expected): 'wrong-expected-version' | 'stream-deleted' | undefined {
    if (this.isTombstoned) return 'stream-deleted';
    switch (expected) {
      case 'any':
        return undefined;
      case 'none':
        return this.last === -1 || this.isDeleted ? undefined : 'wrong-expected-version';
      case 'exists':
        if (this.isDeleted) return 'stream-deleted';
        return this.last >= 0 || this.hasMetadata ? undefined : 'wrong-expected-version';
      default:
        return expected === this.last ? undefined : 'wrong-expected-version';
    }
  }
}

/** What an event store should answer, in memory. */
export class ModelStore {
  private readonly streams = new Map<string, ModelStream>();
  /** Ids in the order in which they were written, over all streams. */
  readonly log: string[] = [];

  append(name: string, expected: Expected, ids: readonly string[]): Outcome {
    const stream = this.stream(name);
    const refusal = stream.refuses(expected);
    if (refusal !== undefined) return refusal;
    if (stream.isDeleted) {
      stream.isDeleted = false;
      stream.maxCount = Infinity;
      stream.truncateBefore = stream.last + 1;
    }
    for (const id of ids) {
      stream.events.push({ id, revision: stream.last + 1 });
      this.log.push(id);
    }
    return { next: stream.last };
  }

  delete(name: string, expected: Exclude<Expected, 'exists'>): 'done' | 'wrong-expected-version' | 'stream-deleted' {
    const stream = this.stream(name);
    const refusal = stream.refuses(expected);
    if (refusal !== undefined) return refusal;
    if (stream.last < 0 && !stream.hasMetadata) return 'wrong-expected-version';
    stream.isDeleted = true;
    stream.hasMetadata = true;
    return 'done';
  }

  tombstone(name: string): 'done' | 'stream-deleted' {
    const stream = this.stream(name);
    if (stream.isTombstoned) return 'stream-deleted';
    stream.isTombstoned = true;
    return 'done';
  }

  setMetadata(name: string, { maxCount, truncateBefore }: { maxCount?: number | undefined; truncateBefore?: number | undefined }): 'done' | 'stream-deleted' {
    const stream = this.stream(name);
    // What is gone for good takes no metadata, unless there is some already.
    if (stream.isTombstoned && !stream.hasMetadata) return 'stream-deleted';
    stream.hasMetadata = true;
    stream.maxCount = maxCount ?? Infinity;
    // Metadata written to a deleted stream brings it back, empty.
    stream.truncateBefore = stream.isDeleted ? stream.last + 1 : (truncateBefore ?? 0);
    stream.isDeleted = false;
    return 'done';
  }

  read(name: string): ModelEvent[] | 'stream-not-found' | 'stream-deleted' {
    const stream = this.stream(name);
    if (stream.isTombstoned) return 'stream-deleted';
    return stream.last < 0 || stream.isDeleted ? 'stream-not-found' : stream.readable;
  }

  /** The revision of an append that could be repeated: its stream is as it left it. */
  isLast(name: string, ids: readonly string[]): boolean {
    const stream = this.stream(name);
    return !stream.isTombstoned && !stream.isDeleted && stream.events.at(-1)?.id === ids.at(-1);
  }

  private stream(name: string): ModelStream {
    const stream = this.streams.get(name) ?? new ModelStream();
    this.streams.set(name, stream);
    return stream;
  }
}
