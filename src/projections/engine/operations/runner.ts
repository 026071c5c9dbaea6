import { randomUUID } from 'node:crypto';
import type { Operation, RebuildProgress } from '../../../api/core.js';
import { Refusal } from '../../../domain/kit/index.js';
import type { EngineLog } from '../world.js';
import { pause } from '../pause.js';
import type { OperationStore } from './store.js';

const look_ms = 2000;
const beat_ms = 250;

type Rebuild = (view: string, tell: (progress: RebuildProgress) => void, signal: AbortSignal) => Promise<void>;

/** Works on operations: those begun here at once, and those whose process died a while later, from their start. */
export class OperationRunner {
  private readonly id = randomUUID();
  private readonly running = new Set<Promise<void>>();

  constructor(
    private readonly store: OperationStore,
    private readonly rebuild: Rebuild,
    private readonly log: EngineLog,
    private readonly stopping: AbortSignal,
  ) {}

  /** Looks for work until the process stops, then gives back what it has not finished. */
  async keepLooking(): Promise<void> {
    while (!this.stopping.aborted) {
      await this.look();
      await pause(look_ms, this.stopping);
    }
    await Promise.all(this.running);
  }

  /** Takes up whatever nobody works on. */
  async look(): Promise<void> {
    try {
      for (let operation = await this.store.claim(this.id); operation; operation = await this.store.claim(this.id)) this.start(operation);
    } catch (error) {
      this.log.warn({ err: error }, 'The operations cannot be read');
    }
  }

  private start(operation: Operation): void {
    const work = this.run(operation)
      .catch((error) => this.log.warn({ err: error, operation: operation.name }, 'The end of an operation could not be noted; another process starts it anew'))
      .finally(() => this.running.delete(work));
    this.running.add(work);
  }

  private async run({ name, metadata: { view } }: Operation): Promise<void> {
    const { store, stopping } = this;
    const id = name.slice('operations/'.length);
    const called = new AbortController();
    const finished = new AbortController();
    let latest: RebuildProgress | undefined;
    const beating = this.beat(id, () => latest, called, finished.signal);
    try {
      await this.rebuild(view, (progress) => (latest = progress), AbortSignal.any([stopping, called.signal]));
      finished.abort();
      await beating;
      await store.beat(id, this.id, latest);
      await store.end(id, this.id, 'done');
    } catch (error) {
      finished.abort();
      await beating;
      if (stopping.aborted) return store.release(id, this.id);
      if (called.signal.aborted) return store.end(id, this.id, 'cancelled', { code: 'CANCELLED', message: 'The rebuild was called off' });
      await store.end(id, this.id, 'failed', this.saidOf(error, name));
    }
  }

  /** Keeps the row fresh; a runner that is asked to stop, or no longer the one, stops. */
  private async beat(id: string, latest: () => RebuildProgress | undefined, called: AbortController, finished: AbortSignal): Promise<void> {
    while (!finished.aborted && !called.signal.aborted) {
      try {
        if ((await this.store.beat(id, this.id, latest())) !== 'go on') called.abort(new Refusal('CANCELLED', 'The rebuild was called off'));
      } catch (error) {
        this.log.warn({ err: error, operation: id }, 'The progress of an operation could not be noted');
      }
      await pause(beat_ms, finished);
    }
  }

  /** Whoever looks at the operation is told a refusal's sentence; of a defect only the log knows more. */
  private saidOf(error: unknown, operation: string): { code: string; message: string } {
    if (error instanceof Refusal) return { code: error.code, message: error.message };
    this.log.error({ err: error, operation }, 'An operation failed');
    return { code: 'INTERNAL', message: 'The rebuild failed; the log of the platform says why' };
  }
}
