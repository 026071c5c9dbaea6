/** What can be said of a value, each at the place of its number in the protocol. */
export const featureStatuses = ['UNSPECIFIED', 'PRESENT', 'NULL_VALUE', 'NOT_FOUND', 'OUTSIDE_MAX_AGE', 'DELETED'] as const;
export type FeatureStatus = Exclude<(typeof featureStatuses)[number], 'UNSPECIFIED'>;
export type StatusCode = 1 | 2 | 3 | 4 | 5;

/** Of reads of the past alone: there was something then, but the entity has been deleted since, so nobody is told what. */
export const deletedStatus = 5 satisfies StatusCode;

/** The status of one value: `timeUs` is the event time of what is held of its entity, and `oldestUs` the oldest that still counts. */
export function statusOf(timeUs: number | null, value: unknown, oldestUs: number): StatusCode {
  if (timeUs === null) return 3;
  if (value === null) return 2;
  return timeUs < oldestUs ? 4 : 1;
}
