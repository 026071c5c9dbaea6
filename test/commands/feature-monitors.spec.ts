import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { featureCommands } from '../../src/commands/features.js';
import { measureDrift } from '../../src/commands/jobs/measure-drift.js';
import { checkAt, runFeatureMonitors } from '../../src/commands/jobs/run-feature-monitors.js';
import { Aggregates } from '../../src/commands/kit/aggregates.js';
import type { CommandReply, InnerCommand } from '../../src/commands/kit/command.js';
import { CommandExecutor } from '../../src/commands/kit/execute.js';
import { RememberingCommandLog } from '../../src/commands/kit/idempotency.js';
import { monitoringCommands } from '../../src/commands/monitoring.js';
import { projectCommands } from '../../src/commands/projects.js';
import { measureRequestedDrift } from '../../src/commands/reactions/measure-requested-drift.js';
import { standardTests } from '../../src/domain/features/monitoring/tests.js';
import { driftCheckStream } from '../../src/domain/features/streams.js';
import type { StoredEvent } from '../../src/platform/eventstore/port.js';
import { nextTick } from '../../src/platform/jobs/cron.js';
import type { ProjectionEngine } from '../../src/projections/engine/index.js';
import { driftChecksView } from '../../src/projections/features/monitoring/checks-view.js';
import { featureMonitoringView } from '../../src/projections/features/monitoring/view.js';
import { engineWorld, type EngineWorld } from '../projections/engine/world.js';
import { declare, write, type Declared } from '../projections/features/history/group.js';

const views = [featureMonitoringView, driftChecksView];
let world: EngineWorld;
let engine: ProjectionEngine;
let executor: CommandExecutor;
beforeAll(async () => {
  world = await engineWorld([]);
  engine = world.engine(views);
  await engine.start();
  executor = new CommandExecutor(world.eventStore, new Aggregates(world.eventStore), new RememberingCommandLog({ find: async () => undefined }));
  await command('CreateProject', { project: 'p', description: '' });
});
afterAll(() => world.close());

const caller = { actor: 'tester', may: () => true };
const named = new Map([...projectCommands, ...featureCommands, ...monitoringCommands].map((one) => [one.name as string, one as unknown as InnerCommand]));
const command = (name: string, input: object): Promise<CommandReply> => executor.execute(named.get(name)!, input, { caller });

const hour = 3_600_000;
let groups = 0;
/** A group that is watched every hour, with one row a minute. */
async function watched(monitor: object = {}): Promise<Declared> {
  const group: Declared = { project: 'p', group: `g${++groups}`, keys: { id: 'INT64' }, features: { x: 'DOUBLE' } };
  await declare(world.eventStore, group);
  await command('SetFeatureBaseline', { project: 'p', group: group.group, start: '2001-01-01T00:00:00Z', end: '2001-02-01T00:00:00Z' });
  await command('SetFeatureMonitor', { project: 'p', group: group.group, cron: '0 * * * *', windowSeconds: 3600, ...monitor });
  return group;
}

/** Runs the job once at a moment, and waits until what it asked for is seen. */
async function runAt(now: number): Promise<{ issued: object[] }> {
  await engine.waitFor(views.map(({ name }) => name), await world.eventStore.endOfLog());
  const issued: object[] = [];
  const issue = (one: { readonly name: string }, input: unknown) => {
    issued.push(input as object);
    return executor.execute(one as InnerCommand, input, { caller });
  };
  const job = runFeatureMonitors({ pool: world.database.pool, now: () => now });
  await job.run({}, { id: 'j', attempt: 1, due: new Date(0), signal: new AbortController().signal, issue });
  await engine.waitFor(views.map(({ name }) => name), await world.eventStore.endOfLog());
  return { issued };
}

async function checksOf({ group }: Declared): Promise<any[]> {
  return (await world.database.pool.query(`select "check", current, tick from feature_drift_checks where "group" = $1 order by tick`, [group])).rows;
}
/** The first full hour since a group is watched, by the time at which that is on record. */
async function firstTick({ group }: Declared): Promise<number> {
  await engine.waitFor([featureMonitoringView.name], await world.eventStore.endOfLog());
  const { rows: [{ since }] } = await world.database.pool.query('select monitor_since as since from feature_monitoring where "group" = $1', [group]);
  return Math.ceil((since.getTime() + 1) / hour) * hour;
}

describe('a monitor', () => {
  test('asks for a check of the window before each moment of its schedule, once', async () => {
    const group = await watched({ delaySeconds: 600 });
    const tick = await firstTick(group);
    expect((await runAt(tick - 1)).issued.filter((one: any) => one.group === group.group)).toEqual([]);
    await runAt(tick);
    await runAt(tick + 30_000);
    const checks = await checksOf(group);
    expect(checks).toMatchObject([{ tick: new Date(tick), current: { start: new Date(tick - hour - 600_000).toISOString(), end: new Date(tick - 600_000).toISOString() } }]);
    expect(checks[0].check).toMatch(/^at_\d{8}t\d{6}z$/);
  });

  test('asks once, also when a second process asks at the same time or has not seen the first', async () => {
    const group = await watched();
    const tick = await firstTick(group);
    const asked = checkAt({ project: 'p', group: group.group, windowSeconds: 3600, delaySeconds: 0, features: [], tests: standardTests }, tick);
    const { runScheduledDriftCheckCommand } = await import('../../src/commands/drift-checks.js');
    const replies = await Promise.all([1, 2, 3].map(() => executor.execute(runScheduledDriftCheckCommand, asked, { caller })));
    expect(replies.map(({ changed }) => changed).sort()).toEqual([false, false, true]);
    await runAt(tick);
    expect(await checksOf(group)).toHaveLength(1);
  });

  test('catches up with what passed while no platform ran, window by window', async () => {
    const group = await watched();
    const tick = await firstTick(group);
    await runAt(tick + 3 * hour + 1);
    expect((await checksOf(group)).map((check) => check.tick.getTime())).toEqual([0, 1, 2, 3].map((n) => tick + n * hour));
    await runAt(tick + 40 * hour);
    await runAt(tick + 40 * hour);
    expect(await checksOf(group)).toHaveLength(41);
  });

  test('that is removed asks no more, and one whose project has ended keeps no other waiting', async () => {
    const [group, other] = [await watched(), await watched()];
    await command('RemoveFeatureMonitor', { project: 'p', group: group.group });
    await command('CreateProject', { project: 'ended', description: '' });
    await declare(world.eventStore, { ...group, project: 'ended', group: 'a' });
    await command('SetFeatureBaseline', { project: 'ended', group: 'a', start: '2001-01-01T00:00:00Z', end: '2001-02-01T00:00:00Z' });
    await command('SetFeatureMonitor', { project: 'ended', group: 'a', cron: '0 * * * *', windowSeconds: 3600 });
    await command('ArchiveProject', { project: 'ended', reason: 'Over' });
    await runAt(await firstTick(other));
    expect(await checksOf(group)).toEqual([]);
    expect(await checksOf(other)).toHaveLength(1);
  });

  test('follows its time zone through the change to summer time', () => {
    const at = (text: string) => new Date(nextTick({ cron: '0 3 * * *', timeZone: 'Europe/Vienna' }, Date.parse(text))!).toISOString();
    expect(at('2026-03-28T00:00:00Z')).toBe('2026-03-28T02:00:00.000Z');
    expect(at('2026-03-29T02:00:00Z')).toBe('2026-03-30T01:00:00.000Z');
  });
});

describe('a check that was asked for', () => {
  async function asked(): Promise<{ group: Declared; stream: string; request: StoredEvent }> {
    const group = await watched();
    await write(world.eventStore, group, [1, 2, 3].map((id) => ({ key: [id], timeUs: Date.UTC(2001, 0, id) * 1000, values: { x: id } })));
    await command('SetFeatureBaseline', { project: 'p', group: group.group, start: '2001-01-01T00:00:00Z', end: '2001-03-01T00:00:00Z' });
    await command('RunDriftCheck', { project: 'p', group: group.group, check: 'c', current: { start: '2001-01-01T00:00:00Z', end: '2001-01-03T00:00:00Z' } });
    const stream = driftCheckStream('p', group.group, 'c');
    return { group, stream, request: (await eventsOf(stream))[0]! };
  }
  async function eventsOf(stream: string): Promise<StoredEvent[]> {
    const events: StoredEvent[] = [];
    for await (const event of world.eventStore.readStream(stream)) events.push(event);
    return events;
  }
  const measure = (group: Declared, issue: (one: { readonly name: string }, input: unknown) => Promise<unknown>) =>
    measureDrift({ eventStore: world.eventStore, aggregates: new Aggregates(world.eventStore), trainingSets: undefined as never }).run({ project: 'p', group: group.group, check: 'c' }, { id: 'j', attempt: 1, due: new Date(0), signal: new AbortController().signal, issue });
  const issue = (one: { readonly name: string }, input: unknown) => executor.execute(one as InnerCommand, input, { caller });

  test('leads to the same job whenever it is looked at', async () => {
    const { group, request } = await asked();
    const orders = measureRequestedDrift.react(request);
    expect(orders).toMatchObject([{ input: { job: 'measure-drift', input: { project: 'p', group: group.group, check: 'c' } } }]);
    expect(measureRequestedDrift.react(request)).toEqual(orders);
  });

  test('knows nothing of what is written after it, however late it is made, and a second try tells nothing twice', async () => {
    const { group, stream } = await asked();
    await write(world.eventStore, group, [{ key: [9], timeUs: Date.UTC(2001, 0, 2) * 1000, values: { x: 900 } }]);
    const died = async (one: { readonly name: string }, input: unknown) => {
      if (one.name === 'CompleteDriftCheck') throw new Error('the process died');
      return issue(one, input);
    };
    await expect(measure(group, died)).rejects.toThrow('the process died');
    await measure(group, issue);
    await measure(group, issue);
    const events = await eventsOf(stream);
    expect(events.map(({ type }) => type)).toEqual(['FeatureDriftCheckRequested', 'FeatureDriftMeasured', 'FeatureDriftCheckCompleted']);
    expect(events[1]!.data).toMatchObject({ drift: { feature: 'x', current: { rows: 2, mean: 1.5 }, reference: { rows: 3, mean: 2 } } });
    expect(events[2]!.data).toMatchObject({ currentRows: 2, referenceRows: 3, drifted: [] });
  });
});
