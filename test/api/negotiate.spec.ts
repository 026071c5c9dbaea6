import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bestOf } from '../../src/api/negotiate.js';
import { formatOf } from '../../src/api/features/formats.js';

const offered = ['application/x-ndjson', 'text/csv', 'application/json'] as const;

test.each([
  [undefined, 'application/x-ndjson'],
  ['', 'application/x-ndjson'],
  ['*/*', 'application/x-ndjson'],
  ['text/csv', 'text/csv'],
  ['TEXT/CSV; charset=utf-8', 'text/csv'],
  ['text/*', 'text/csv'],
  ['application/*', 'application/x-ndjson'],
  ['application/json;q=0.5, text/csv;q=0.9', 'text/csv'],
  ['application/json; q=0.5 , text/csv ; Q=0.4', 'application/json'],
  ['text/csv, application/json', 'text/csv'],
  ['application/json, text/plain, */*', 'application/json'],
  ['text/html,application/xml;q=0.9,*/*;q=0.8', 'application/x-ndjson'],
  ['*/*, application/x-ndjson;q=0', 'text/csv'],
  ['*/*;q=0.1, application/*;q=0, text/csv;q=0', undefined],
  ['application/*;q=0.9, application/json;q=0.1, text/csv;q=0.5', 'application/x-ndjson'],
  ['application/json;q=0.001', 'application/json'],
  ['text/csv;q=0', undefined],
  ['image/png', undefined],
  ['text/csv;header="a,b;q=0", image/png', 'text/csv'],
  ['text/csv;q=high', undefined],
  ['text/csv;q=2, application/json;q=', undefined],
  ['csv', undefined],
  ['",', undefined],
])('Accept: %s takes %s', (accept, best) => {
  expect(bestOf(accept, offered)).toBe(best);
});

test('whatever an Accept header holds, it is read, and what is wanted most is given', () => {
  fc.assert(fc.property(fc.string({ maxLength: 200 }), (accept) => void bestOf(accept, offered)));
  const range = fc.record({ type: fc.constantFrom(...offered), quality: fc.integer({ min: 0, max: 1000 }) });
  fc.assert(
    fc.property(fc.uniqueArray(range, { selector: ({ type }) => type, minLength: 1 }), (ranges) => {
      const most = Math.max(...ranges.map(({ quality }) => quality));
      const wanted = ranges.find(({ quality }) => quality === most)!.type;
      expect(bestOf(ranges.map(({ type, quality }) => `${type};q=${quality / 1000}`).join(', '), offered)).toBe(most === 0 ? undefined : wanted);
    }),
  );
});

test('what there is none of is refused with what there is', () => {
  expect(() => formatOf('image/png')).toThrow(expect.objectContaining({
    message: 'Accept takes application/x-ndjson, text/csv, application/json, application/vnd.apache.arrow.stream or application/vnd.apache.parquet',
    details: { reason: 'NOT_ACCEPTABLE', fields: [{ field: 'Accept', description: expect.any(String) }] },
  }));
});
