import { defineDecider, Refusal } from '../../kit/index.js';
import { quarantineEvents } from './events.js';

/** How many rows have been discarded; which of them are still there is no matter of the log. */
export const quarantineDecisions = defineDecider({
  category: 'feature_quarantine',
  events: quarantineEvents,
  initialState: 0,
  on: { QuarantinedRowsDiscarded: (discarded: number, { ids }) => discarded + ids.length },
});

/** The stream of what was decided about a project's refused rows. */
export const quarantineStream = (project: string): string => `${quarantineDecisions.category}-${project}`;

/** What is said of rows that do not wait, or no longer. */
export const notWaiting = (project: string, ids: readonly string[]): Refusal =>
  new Refusal('NOT_FOUND', `No refused row ${ids.join(', ')} waits in project ${project}`, { reason: 'QUARANTINED_ROW_NOT_FOUND', metadata: { id: ids[0]! } });
