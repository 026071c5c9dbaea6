import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { arrayLiteral } from '../../../src/projections/engine/array-literal.js';
import { timeOfText } from '../../../src/projections/engine/columns.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';

let database: TestDatabase;
beforeAll(async () => void (database = await testDatabase()));
afterAll(() => database.drop());

// Postgres has no place for NUL.
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.constantFrom('', 'null', 'NULL', '{}', '"', '\\', '\\n', '\n', '\\\\n', '\\"', ',', '\u2028', '\x7f', '\\u0041', '\\\n')).map((text) => text.replaceAll('\0', ''));

test('texts come back from an array literal as they were, whatever they hold', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(text)), async (texts) => {
      const { rows } = await database.pool.query('select array(select t from unnest($1::text[]) with ordinality as given(t, place) order by place) as texts', [arrayLiteral(texts)]);
      expect(rows[0].texts).toEqual(texts);
    }),
    { numRuns: 200 },
  );
});

test('a time in Postgres\' words is the canonical time, in whatever zone and precision the session writes it', async () => {
  for (const zone of ['UTC', 'Asia/Kolkata', 'America/St_Johns']) {
    await fc.assert(
      fc.asyncProperty(fc.date({ min: new Date('0001-01-02T00:00:00Z'), max: new Date('9999-12-30T00:00:00Z'), noInvalidDate: true }), async (date) => {
        const client = await database.pool.connect();
        await client.query(`set timezone = '${zone}'`);
        const { rows } = await client.query('select $1::timestamptz::text as time', [date.toISOString()]);
        await client.query('reset timezone');
        client.release();
        expect(timeOfText(rows[0].time)).toBe(date.toISOString());
      }),
      { numRuns: 60, examples: [[new Date('2026-01-01T00:00:00Z')], [new Date('2026-01-01T00:00:00.100Z')], [new Date('2026-06-30T23:59:59.999Z')]] },
    );
  }
});
