import { z } from 'zod';
import { defineEvent } from '../../../src/domain/kit/index.js';
import type { StoredEvent } from '../../../src/platform/eventstore/port.js';
import { defineView } from '../../../src/projections/engine/define.js';

/** Facts about counters: what goes missing or is counted twice shows in the sum, a wrong order in the history. */
export const counterEvents = [
  defineEvent('CounterRaised', z.object({ counter: z.string(), by: z.int() })),
  defineEvent('CounterRemoved', z.object({ counter: z.string() })),
] as const;

/** Keeps for every counter the sum, how many events made it, and the order of the last ones. */
export const countersView = (options: { name?: string; version?: number; poisonedBy?: (by: number) => boolean; history?: boolean } = {}) =>
  defineView({
    name: options.name ?? 'counters',
    version: options.version ?? 1,
    table: (options.name ?? 'counters').replaceAll('-', '_'),
    row: z.object({
      counter: z.string(),
      sum: z.int(),
      events: z.int32(),
      latest: z.array(z.int()),
      raisedAt: z.iso.datetime(),
      note: z.string().nullable(),
    }),
    key: ['counter'],
    history: options.history,
    events: counterEvents,
    keyOf: ({ data }) => ({ counter: data.counter }),
    on: {
      CounterRaised: (row, { counter, by }, info) => {
        if (options.poisonedBy?.(by)) throw new Error(`cannot count ${by}`);
        return {
          counter,
          sum: (row?.sum ?? 0) + by,
          events: (row?.events ?? 0) + 1,
          latest: [...(row?.latest ?? []), by].slice(-5),
          raisedAt: info.recordedAt,
          note: by % 2 === 0 ? null : `odd\t"${by}"\\`,
        };
      },
      CounterRemoved: () => undefined,
    },
  });

/** The rows that a fold of the log gives, worked out without the engine. */
export function foldOfLog(events: readonly Pick<StoredEvent, 'type' | 'data'>[]): Record<string, { sum: number; events: number; latest: number[] }> {
  const rows: Record<string, { sum: number; events: number; latest: number[] }> = {};
  for (const { type, data } of events) {
    const { counter, by } = data as { counter: string; by: number };
    if (type === 'CounterRemoved') delete rows[counter];
    if (type !== 'CounterRaised') continue;
    const row = (rows[counter] ??= { sum: 0, events: 0, latest: [] });
    row.sum += by;
    row.events++;
    row.latest = [...row.latest, by].slice(-5);
  }
  return rows;
}
