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

/** A row that an answer gives; `erased` where its entity was deleted later. */
export type Won = Row & { readonly erased: boolean };

/** The point-in-time join told as slowly and plainly as it can be: for each asked row, walk through all facts. */
export const joined = (facts: readonly Fact[], asked: readonly Asked[], rules: Rules): (Won | undefined)[] => asked.map((one) => joinedOne(facts, one, rules));

function joinedOne(facts: readonly Fact[], asked: Asked, rules: Rules): Won | undefined {
  if (asked.key === null) return undefined;
  const wanted = encodeKey(asked.key);
  let winner: Won | undefined;
  facts.forEach((fact, at) => {
    const deletes = 'deleted' in fact && fact.deleted.some((key) => encodeKey(key) === wanted);
    // Whatever is known, a deletion lets nobody see any more what there was.
    if (deletes && winner) winner = { ...winner, values: {}, erased: true };
    if (rules.position !== undefined && at >= rules.position) return;
    if (rules.knownAtUs !== undefined && fact.recordedAtUs > rules.knownAtUs) return;
    if (rules.knownAtRowTime && fact.recordedAtUs > asked.timeUs) return;
    if ('deleted' in fact) {
      if (deletes) winner = undefined;
      return;
    }
    if (fact.mode === 'ONLINE') return;
    for (const row of fact.rows) {
      if (encodeKey(row.key) !== wanted || row.timeUs > asked.timeUs) continue;
      if (winner === undefined || row.timeUs >= winner.timeUs) winner = { ...row, erased: false };
    }
  });
  return winner && (rules.ttlUs === 0 || winner.timeUs >= asked.timeUs - rules.ttlUs) ? winner : undefined;
}
