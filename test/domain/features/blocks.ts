import fc from 'fast-check';
import type { Column, RowBlock } from '../../../src/domain/features/chunk.js';
import { earliestEventTimeUs, latestEventTimeUs } from '../../../src/domain/features/values.js';

const value = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0), fc.string(), fc.constantFrom('a', 'b'), fc.boolean(), fc.array(fc.integer()));

/** Blocks of rows of every kind that can be written. */
export const anyBlock: fc.Arbitrary<RowBlock> = fc.integer({ min: 1, max: 40 }).chain((rows) => {
  const column = (of: fc.Arbitrary<unknown>) => fc.option(fc.array(fc.option(of), { minLength: rows, maxLength: rows })) as fc.Arbitrary<Column | null>;
  return fc.record({
    rows: fc.constant(rows),
    keys: fc.constant(Array.from({ length: rows }, (_, index) => `["k${index}"]`)),
    key: fc.oneof(fc.constant(Array.from({ length: rows }, (_, index) => index)), fc.array(fc.nat({ max: rows - 1 }), { minLength: rows, maxLength: rows })),
    timeUs: fc.oneof(fc.constant(new Array(rows).fill(7)), fc.array(fc.integer({ min: earliestEventTimeUs, max: latestEventTimeUs }), { minLength: rows, maxLength: rows })),
    columns: fc
      .record({ plain: column(value), numbers: column(fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0))), wholes: column(fc.integer()), repeated: column(fc.constantFrom('a', 'b', '"]')), texts: column(fc.string()), flags: column(fc.boolean()) })
      .map((columns) => new Map(Object.entries(columns))),
  });
});
