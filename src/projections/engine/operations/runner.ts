import { randomUUID } from 'node:crypto';
import type { Operation } from '../../../api/core.js';
import { Refusal } from '../../../domain/kit/index.js';
import { pause } from '../pause.js';
import type { Steering } from '../rebuild-course.js';
import type { EngineLog } from '../world.js';
import { Helm } from './helm.js';
import type { OperationStore } from './store.js';

const look_ms = 2000;
const beat_ms = 250;

type Work = (operation: Operation, steering: Steering) => Promise<void>;

/** Works on operations: those begun here at once, and those whose process died a while later, from where they are or from their start. */
export class OperationRunner {
  private readonly id = randomUUID();
  private readonly running = new Set<Promise<void>>();

  constructor(
    private readonly store: OperationStore,
    private readonly work: Work,
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
      .catch((error) => this.log.warn({ err: error, operation: operation.name }, 'The end of an operation could not be noted; another process takes it up'))
      .finally(() => this.running.delete(work));
    this.running.add(work);
  }

  private async run(operation: Operation): Promise<void> {
    const { store } = this;
    const id = operation.name.slice('operations/'.length);
    const helm = new Helm(this.stopping, operation.metadata.onDifference);
    const finished = new AbortController();
    const beating = this.beat(id, helm, finished.signal);
    const failure = await this.work(operation, helm).then(() => undefined, (error: unknown) => ({ error }));
    finished.abort();
    await beating;
    if (helm.comparison) await store.noteComparison(id, this.id, helm.comparison);
    if (!failure) {
      await store.beat(id, this.id, helm.latest);
      return store.end(id, this.id, 'done');
    }
    if (helm.interrupted.aborted) return store.release(id, this.id);
    if (helm.calledOff.aborted) return store.end(id, this.id, 'cancelled', { code: 'CANCELLED', message: `The ${operation.metadata.kind} was called off` });
    await store.end(id, this.id, 'failed', this.saidOf(failure.error, operation));
  }

  /** Keeps the row fresh, and hands on what is wished; a runner that is no longer the one stops. */
  private async beat(id: string, helm: Helm, finished: AbortSignal): Promise<void> {
    while (!finished.aborted && !helm.ends) {
      try {
        helm.take(await this.store.beat(id, this.id, helm.latest));
      } catch (error) {
        this.log.warn({ err: error, operation: id }, 'The progress of an operation could not be noted');
      }
      await pause(beat_ms, finished);
    }
  }

  /** Whoever looks at the operation is told a refusal's sentence; of a defect only the log knows more. */
  private saidOf(error: unknown, { name, metadata: { kind } }: Operation): { code: string; message: string } {
    if (error instanceof Refusal) return { code: error.code, message: error.message };
    this.log.error({ err: error, operation: name }, 'An operation failed');
    return { code: 'INTERNAL', message: `The ${kind} failed; the log of the platform says why` };
  }
}
