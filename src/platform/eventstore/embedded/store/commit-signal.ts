import type { StreamState } from './streams.js';

/** Wakes readers after commits: those of the log always, those of a stream when it has new events. */
export class CommitSignal {
  private readonly ofLog = new Set<() => void>();
  private readonly ofStreams = new Map<string, Set<() => void>>();

  /** Calls `wake` after every commit until the returned function is called. */
  watchLog(wake: () => void): () => void {
    this.ofLog.add(wake);
    return () => this.ofLog.delete(wake);
  }

  /** Calls `wake` after every commit with events of this stream until the returned function is called. */
  watchStream(name: string, wake: () => void): () => void {
    const watching = this.ofStreams.get(name) ?? new Set();
    this.ofStreams.set(name, watching.add(wake));
    return () => {
      watching.delete(wake);
      if (watching.size === 0) this.ofStreams.delete(name);
    };
  }

  raise(streams: ReadonlySet<StreamState>): void {
    for (const wake of this.ofLog) wake();
    if (this.ofStreams.size === 0) return;
    for (const stream of streams) for (const wake of this.ofStreams.get(stream.name) ?? []) wake();
  }
}
