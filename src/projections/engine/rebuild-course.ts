import type { OnDifference, RebuildProgress, ViewComparison } from '../../api/core.js';
import type { Position } from '../../platform/eventstore/port.js';
import { ProgressReport, type Phase } from './progress.js';

/** How a rebuild is steered from outside, and what it lets know. */
export interface Steering {
  readonly tell?: (progress: RebuildProgress) => void;
  /** The process stops: what is filled stays, and another one goes on from there. */
  readonly interrupted: AbortSignal;
  /** It is called off: nothing stays. */
  readonly calledOff?: AbortSignal;
  /** Resolves once the rebuild may go on; undefined while it need not stand still. */
  readonly standstill?: () => Promise<void> | undefined;
  /** What becomes of it when the rows differ from the live ones. */
  readonly onDifference?: OnDifference;
  /** Hears how the rows differ, also where that ends the rebuild. */
  readonly compared?: (comparison: ViewComparison) => void;
}

/** One rebuild on its way: where it is told to stop, to stand still, and how far it is. */
export class Course {
  readonly signal: AbortSignal;
  private readonly progress: ProgressReport;

  constructor(end: Position, private readonly steering: Steering) {
    const { interrupted, calledOff, tell = () => undefined } = steering;
    this.signal = calledOff ? AbortSignal.any([interrupted, calledOff]) : interrupted;
    this.progress = new ProgressReport(end, tell);
  }

  read(events: number, position: Position): void {
    this.progress.read(events, position);
  }

  enter(phase: Phase): void {
    this.progress.enter(phase);
  }

  /** The time it stands still does not count for the rate. */
  async whilePaused(): Promise<void> {
    const since = performance.now();
    for (let wait = this.steering.standstill?.(); wait && !this.signal.aborted; wait = this.steering.standstill?.()) await Promise.race([wait, aborted(this.signal)]);
    this.progress.leaveOut(performance.now() - since);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true })));
}
