import type { OnDifference, RebuildProgress, ViewComparison } from '../../../api/core.js';
import { Refusal } from '../../../domain/kit/index.js';
import type { Steering } from '../rebuild-course.js';

/** Steers one operation by what is wished in its row, and keeps what it lets know. */
export class Helm implements Steering {
  readonly interrupted: AbortSignal;
  readonly calledOff: AbortSignal;
  latest: RebuildProgress | undefined;
  comparison: ViewComparison | undefined;
  private readonly calling = new AbortController();
  private readonly losing = new AbortController();
  private paused: PromiseWithResolvers<void> | undefined;

  constructor(stopping: AbortSignal, readonly onDifference: OnDifference | undefined) {
    this.interrupted = AbortSignal.any([stopping, this.losing.signal]);
    this.calledOff = this.calling.signal;
  }

  /** Nothing more can be wished. */
  get ends(): boolean {
    return this.calledOff.aborted || this.losing.signal.aborted;
  }

  take(wish: 'go on' | 'pause' | 'cancel' | 'lost'): void {
    if (wish === 'pause') return void (this.paused ??= Promise.withResolvers());
    if (wish === 'cancel') this.calling.abort(new Refusal('CANCELLED', 'It was called off'));
    if (wish === 'lost') this.losing.abort();
    this.paused?.resolve();
    this.paused = undefined;
  }

  readonly tell = (progress: RebuildProgress): void => void (this.latest = progress);
  readonly compared = (comparison: ViewComparison): void => void (this.comparison = comparison);
  readonly standstill = (): Promise<void> | undefined => this.paused?.promise;
}
