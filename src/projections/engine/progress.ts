import type { RebuildProgress } from '../../api/core.js';
import type { Position } from '../../platform/eventstore/port.js';

const interval_ms = 100;

/** What a rebuild is at. */
export type Phase = 'reading' | 'writing' | 'indexing' | 'following' | 'comparing' | 'switching';

/** Tells how far a rebuild is, at most ten times a second, and at every new phase. */
export class ProgressReport {
  private startedAt = performance.now();
  private toldAt = -Infinity;
  private phase: Phase = 'reading';
  private events = 0;
  private done = 0;

  constructor(
    private readonly end: Position,
    private readonly tell: (progress: RebuildProgress) => void,
  ) {}

  /** More events were read, up to the position. */
  read(events: number, position: Position): void {
    this.events += events;
    this.done = this.end.commit === 0n ? 1 : Math.min(1, Number(position.commit) / Number(this.end.commit));
    this.report(false);
  }

  /** So many milliseconds were no work. */
  leaveOut(milliseconds: number): void {
    this.startedAt += milliseconds;
  }

  enter(phase: Phase): void {
    this.phase = phase;
    if (phase !== 'reading') this.done = 1;
    this.report(true);
  }

  private report(always: boolean): void {
    const now = performance.now();
    if (!always && now - this.toldAt < interval_ms) return;
    this.toldAt = now;
    const seconds = Math.max((now - this.startedAt) / 1000, 0.001);
    this.tell({
      events: this.events,
      done: this.done,
      eventsPerSecond: this.events / seconds,
      secondsLeft: this.done > 0 ? (seconds * (1 - this.done)) / this.done : 0,
      phase: this.phase,
    });
  }
}
