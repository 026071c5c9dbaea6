import type { KnownAt } from '../history/known.js';
import type { Plan, PlannedJoin } from '../history/selection.js';
import type { Moments } from '../history/slots.js';
import type { WindowValues } from '../transformations/shown.js';
import { WindowJoin } from './window-join.js';

/** A join of a plan with the moments at which it is asked. */
interface Asked {
  readonly planned: PlannedJoin;
  readonly moments: Moments;
}

/** A reader of a group's history for the windows over it. */
export interface WindowReader extends Asked {
  readonly join: WindowJoin;
  /** How far before a moment the longest of the windows begins. */
  readonly longestUs: number;
}

/** One reader for each join over which the plan has windows. */
export function windowReaders({ joins, derived }: Plan, asked: readonly Asked[], known: KnownAt): WindowReader[] {
  return joins.flatMap((_, at) => {
    const windows = derived?.windows.filter(({ join }) => join === at) ?? [];
    return windows.length === 0 ? [] : [{ ...asked[at]!, join: new WindowJoin(asked[at]!.moments, windows, known.rowTime), longestUs: Math.max(...windows.map(({ spec }) => spec.durationUs)) }];
  });
}

/** What the windows say, once all history has been read. */
export const windowValues = (readers: readonly WindowReader[]): WindowValues => new Map(readers.flatMap(({ join }) => [...join.finish()]));
