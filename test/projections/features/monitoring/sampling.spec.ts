import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { FeatureFigures } from '../../../../src/domain/features/monitoring/figures.js';
import { seriesOf, someWindows, type Windows } from '../../../../src/domain/features/monitoring/window.js';
import { standardTests } from '../../../../src/domain/features/monitoring/tests.js';
import { connect } from '../../../../src/platform/eventstore/index.js';
import type { EventStore, Position } from '../../../../src/platform/eventstore/port.js';
import { Replay } from '../../../../src/projections/features/history/replay.js';
import { driftOfFeatures, figuresOfWindows } from '../../../../src/projections/features/monitoring/figures.js';
import { sampleHistory, type AskedHistory } from '../../../../src/projections/features/monitoring/sampling.js';
import { testEventStore, type TestEventStore } from '../../../support/eventstore.js';
import { declare, remove, write, type Declared } from '../history/group.js';
import type { Row } from '../history/written.js';

let server: TestEventStore;
let eventStore: EventStore;
let replay: Replay;
beforeAll(async () => {
  server = await testEventStore();
  eventStore = connect(server.url);
  replay = new Replay(eventStore, { cacheBytes: 1_000_000 });
});
afterAll(async () => {
  await eventStore.close();
  await server.close();
});

const hour = 3_600_000_000;
const row = (id: number, hours: number, x: number | null, s = 'a'): Row => ({ key: [id], timeUs: Math.round(hours * hour), values: { x, s } });
let groups = 0;
async function newGroup(): Promise<AskedHistory> {
  const group: AskedHistory = { project: 'p', group: `g${++groups}`, features: [], known: {} };
  await declare(eventStore, declaredOf(group));
  return group;
}
const declaredOf = ({ project, group }: AskedHistory): Declared => ({ project, group, keys: { id: 'INT64' }, features: { x: 'DOUBLE', s: 'STRING' } });
const put = (group: AskedHistory, rows: Row[], mode?: 'ONLINE' | 'OFFLINE') => write(eventStore, declaredOf(group), rows, mode);
const whole = someWindows([{ startUs: 0, endUs: 24 * hour }]);

async function figures(group: AskedHistory, windows: Windows = whole, known: AskedHistory['known'] = {}): Promise<FeatureFigures[][]> {
  const { samples, features } = await sampleHistory(replay, { ...group, known }, windows);
  return figuresOfWindows(samples, features);
}
const xOf = async (...given: Parameters<typeof figures>) => (await figures(...given)).map(([x]) => x!);

describe('the figures of a window', () => {
  test('are those of the rows in it, its start included and its end not', async () => {
    const group = await newGroup();
    await put(group, [row(1, 0, 1), row(2, 1, 3), row(3, 2, null), row(4, 24, 9), row(5, -1, 9)]);
    const [x] = await xOf(group);
    expect(x).toMatchObject({ rows: 3, sampled: 3, nulls: 1, mean: 2, min: 1, max: 3, distinct: 2 });
    const [[, s]] = (await figures(group)) as [FeatureFigures[]];
    expect(s).toMatchObject({ rows: 3, categories: [{ category: 'a', count: 3 }], nulls: 0 });
  });

  test('come window by window', async () => {
    const group = await newGroup();
    await put(group, [row(1, 0, 1), row(1, 1, 2), row(2, 1.5, 4), row(1, 3.2, 8)]);
    expect((await xOf(group, seriesOf({ startUs: 0, endUs: 3.5 * hour }, hour))).map(({ rows, mean }) => [rows, mean])).toEqual([[1, 1], [2, 3], [0, null], [1, 8]]);
  });

  test('count an entity and a time once, as written last', async () => {
    const group = await newGroup();
    await put(group, [row(1, 1, 1), row(2, 1, 5)]);
    await put(group, [row(1, 1, 3)]);
    expect(await xOf(group)).toMatchObject([{ rows: 2, mean: 4 }]);
  });

  test('leave out what was written for online reads alone', async () => {
    const group = await newGroup();
    await put(group, [row(1, 1, 1)], 'OFFLINE');
    await put(group, [row(2, 1, 5)], 'ONLINE');
    expect(await xOf(group)).toMatchObject([{ rows: 1, mean: 1 }]);
  });

  test('leave out what is deleted, and count again what was written after', async () => {
    const group = await newGroup();
    await put(group, [row(1, 1, 1), row(2, 1, 5)]);
    await remove(eventStore, declaredOf(group), [[1], [2]]);
    await put(group, [row(2, 2, 7)]);
    expect(await xOf(group)).toMatchObject([{ rows: 1, mean: 7 }]);
  });

  test('know nothing of late rows where they are asked as known before', async () => {
    const group = await newGroup();
    const position: Position = await put(group, [row(1, 1, 1)]);
    const before = await figures(group);
    await put(group, [row(2, 1, 100)]);
    await put(group, [row(1, 1, 50)]);
    expect(await figures(group, whole, { position })).toEqual(before);
    expect(await xOf(group)).toMatchObject([{ rows: 2, mean: 75 }]);
  });

  test('of an empty window say so', async () => {
    expect(await figures(await newGroup())).toMatchObject([[{ rows: 0, nullRate: 0, mean: null, edges: [] }, { rows: 0, categories: [] }]]);
  });
});

test('a report is the same bit for bit, from memory and from the log, also where a window is sampled', async () => {
  const group = await newGroup();
  const rows = (from: number, shift: number) => Array.from({ length: 60_000 }, (_, n) => row(n, from + (n % 1000) / 1000, Math.sin(n) + shift, `c${n % 5}`));
  for (const part of [rows(1, 0), rows(5, 0.3)]) for (let at = 0; at < part.length; at += 5000) await put(group, part.slice(at, at + 5000));
  const windows = someWindows([{ startUs: 0, endUs: 4 * hour }, { startUs: 4 * hour, endUs: 8 * hour }]);
  const report = async (by: Replay) => {
    const { samples, features } = await sampleHistory(by, group, windows);
    return driftOfFeatures({ features, sample: samples[0]! }, { features, sample: samples[1]! }, standardTests);
  };
  const first = await report(replay);
  expect(JSON.stringify(await report(replay))).toBe(JSON.stringify(first));
  expect(JSON.stringify(await report(new Replay(eventStore, { cacheBytes: 0 })))).toBe(JSON.stringify(first));
  const [x, s] = first;
  expect(x).toMatchObject({ verdict: 'DRIFTED', test: 'WASSERSTEIN', reference: { sampled: 50_000 } });
  expect(Math.abs(x!.reference.rows / 60_000 - 1)).toBeLessThan(0.02);
  // The values move by 0.3, and the sine's deviation is 0.707.
  expect(x!.statistic).toBeCloseTo(0.3 / Math.SQRT1_2, 1);
  expect(s).toMatchObject({ verdict: 'STABLE', test: 'JENSEN_SHANNON' });
});

describe('refused is', () => {
  test('a group that is not there, and a feature that it does not have', async () => {
    const group = await newGroup();
    await expect(sampleHistory(replay, { ...group, group: 'nope' }, whole)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(sampleHistory(replay, { ...group, version: 2 }, whole)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(sampleHistory(replay, { ...group, features: ['x', 'y'] }, whole)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(/features\[1\] names y/) });
  });

  test('more than fits into memory', async () => {
    const group = await newGroup();
    await expect(sampleHistory(replay, group, seriesOf({ startUs: 0, endUs: 9000 * hour }, hour))).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED', details: { reason: 'TOO_MANY_WINDOWS' } });
  });
});
