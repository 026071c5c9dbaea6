import { comparePositions, type Position } from '../../../platform/eventstore/position.js';

/**
 * What counts as known to a read, so that late and backfilled rows cannot leak into its past. Every bound given holds;
 * with none, all that stands in the log when the read begins is known.
 */
export interface KnownAt {
  /** Only what had been written up to this place in the log. */
  readonly position?: Position;
  /** Only what had been recorded up to this moment, in microseconds since the Unix epoch. */
  readonly timeUs?: number;
  /** For each row of the request only what had been recorded up to the row's own time. */
  readonly rowTime?: boolean;
}

/** When and where an event was written. */
export interface Written {
  readonly recordedAtUs: number;
  readonly position: Position;
}

/** Whether an event counts; `rowTime` is judged row by row, in the join. */
export const isKnown = ({ position, timeUs }: KnownAt, written: Written): boolean =>
  (timeUs === undefined || written.recordedAtUs <= timeUs) && (position === undefined || comparePositions(written.position, position) <= 0);
