import { encodeKey } from '../../../../src/domain/features/keys.js';
import type { EntityValue } from '../../../../src/domain/features/values.js';
import type { Fact, Row } from './written.js';

export interface Asked {
  readonly key: readonly EntityValue[] | null;
  readonly timeUs: number;
}

export interface Rules {
  readonly ttlUs: number;
  /** The number of facts known. */
  readonly position?: number;
  readonly knownAtUs?: number;
  readonly knownAtRowTime?: boolean;
}

/** The point-in-time join told as slowly and plainly as it can be: for each asked row, walk through all facts. */
export const joined = (facts: readonly Fact[], asked: readonly Asked[], rules: Rules): (Row | undefined)[] => asked.map((one) => joinedOne(facts, one, rules));

function joinedOne(facts: readonly Fact[], asked: Asked, rules: Rules): Row | undefined {
  if (asked.key === null) return undefined;
  const wanted = encodeKey(asked.key);
  let winner: Row | undefined;
  facts.forEach((fact, at) => {
    if (rules.position !== undefined && at >= rules.position) return;
    if (rules.knownAtUs !== undefined && fact.recordedAtUs > rules.knownAtUs) return;
    if (rules.knownAtRowTime && fact.recordedAtUs > asked.timeUs) return;
    if ('deleted' in fact) {
      if (fact.deleted.some((key) => encodeKey(key) === wanted)) winner = undefined;
      return;
    }
    if (fact.mode === 'ONLINE') return;
    for (const row of fact.rows) {
      if (encodeKey(row.key) !== wanted || row.timeUs > asked.timeUs) continue;
      if (winner === undefined || row.timeUs >= winner.timeUs) winner = row;
    }
  });
  return winner && (rules.ttlUs === 0 || winner.timeUs >= asked.timeUs - rules.ttlUs) ? winner : undefined;
}
