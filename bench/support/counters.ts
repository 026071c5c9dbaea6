import { z } from 'zod';
import { defineEvent } from '../../src/domain/kit/index.js';
import { defineView } from '../../src/projections/engine/define.js';

/** A small event, and a view that keeps a row a counter. */
export const counterRaised = defineEvent('CounterRaised', z.object({ counter: z.string(), by: z.int() }));

export const counters = defineView({
  name: 'counters',
  version: 1,
  table: 'counters',
  row: z.object({ counter: z.string(), sum: z.int(), events: z.int32() }),
  key: ['counter'],
  events: [counterRaised],
  keyOf: ({ data }) => ({ counter: data.counter }),
  on: { CounterRaised: (row, { counter, by }) => ({ counter, sum: (row?.sum ?? 0) + by, events: (row?.events ?? 0) + 1 }) },
});
