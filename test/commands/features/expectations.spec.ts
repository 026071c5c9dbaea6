import { beforeEach, describe, expect, test } from '@jest/globals';
import { Expectations } from '../../../src/commands/features/expectations.js';
import { Aggregates } from '../../../src/commands/kit/aggregates.js';
import { expectation } from '../../../src/domain/features/monitoring/expectations.js';
import type { ExpectationBreach } from '../../../src/domain/features/monitoring/breaches/breach.js';
import { featureMonitoringStream } from '../../../src/domain/features/streams.js';
import { until } from '../../support/until.js';
import { blockOf } from '../../projections/features/history/written.js';
import { memoryLog } from './memory-log.js';

let log: ReturnType<typeof memoryLog>;
let reads: number;
let told: ExpectationBreach[];
let clock: number;
let expectations: Expectations;
const stream = featureMonitoringStream('p', 'g');

beforeEach(() => {
  log = memoryLog();
  reads = 0;
  told = [];
  clock = 1_000_000;
  const counted = { ...log, readStream: (...given: Parameters<typeof log.readStream>) => (reads++, log.readStream(...given)) };
  expectations = new Expectations(new Aggregates(counted as never), async (breach) => told.push(breach), () => clock);
});

/** Another process says what is expected. */
const set = (...expected: object[]) =>
  log.append(stream, [{ id: crypto.randomUUID(), type: 'FeatureExpectationsSet', data: { project: 'p', group: 'g', expectations: expected.map((one) => expectation.parse(one)) }, metadata: { version: 1 } }], { expected: 'any' });
const judge = async (values: readonly (number | null)[], rows?: readonly number[]) =>
  expectations.tell(await expectations.judge({ project: 'p', group: 'g', block: blockOf(values.map((x, id) => ({ key: [id], timeUs: 1, values: { x } }))), rows, commandId: 'c' }), 'tester');
const fewNulls = { name: 'few_nulls', kind: 'NULL_RATE', feature: 'x', max: 0.5 };

describe('what is expected of a group', () => {
  test('is read once, and costs a group of which nothing is expected nothing more', async () => {
    for (let write = 0; write < 100; write++) await judge([null]);
    expect([reads, told]).toEqual([1, []]);
  });

  test('is followed when another process changes it, without keeping a write waiting', async () => {
    await judge([null]);
    await set(fewNulls);
    clock += 2_000;
    await until('the change is seen', async () => {
      await judge([null]);
      return told.length > 0;
    });
    expect(reads).toBe(2);
  });

  test('is held against the rows that are stored', async () => {
    await set(fewNulls);
    await judge([null, null, 3, 4], [0, 2, 3]);
    expect(told).toEqual([]);
    await judge([null, null, 3, 4], [0, 1, 3]);
    expect(told).toMatchObject([{ breach: 'c.few_nulls', commandId: 'c', window: null, finding: { observed: 2 / 3, rows: 3, broken: 2 } }]);
  });

  test('refuses before anything is told', async () => {
    await set(fewNulls, { name: 'positive', kind: 'RANGE', feature: 'x', min: 0, mode: 'REFUSE' });
    await expect(judge([null, null, -1])).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', details: { reason: 'EXPECTATION_BROKEN', metadata: { expectation: 'positive', observed: '0', limit: '1', rows: '3', broken: '1' } } });
    expect(told).toEqual([]);
  });
});
