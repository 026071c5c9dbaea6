import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ParkedKey } from '../../../../src/api/core.js';
import { comparePositions, type EventStore, type StoredEvent } from '../../../../src/platform/eventstore/port.js';
import { connectDataSource } from '../../../../src/platform/postgres/data-source.js';
import { beginViews, readCheckpoints } from '../../../../src/projections/engine/checkpoints.js';
import { ParkedCounts } from '../../../../src/projections/engine/parking/counts.js';
import { listParked } from '../../../../src/projections/engine/parking/list.js';
import { retryParked } from '../../../../src/projections/engine/parking/retry.js';
import type { RetryChoice } from '../../../../src/projections/engine/parking/taking-up.js';
import { Rates } from '../../../../src/projections/engine/rates.js';
import { Reached } from '../../../../src/projections/engine/reached.js';
import { compareRebuilt, rebuild, rollBack } from '../../../../src/projections/engine/rebuild.js';
import { defaultLimits } from '../../../../src/projections/engine/rebuild-pace.js';
import { SlowViews } from '../../../../src/projections/engine/slow-views.js';
import { splitView } from '../../../../src/projections/engine/split.js';
import type { World } from '../../../../src/projections/engine/world.js';
import { testDatabase, type TestDatabase } from '../../../support/postgres.js';
import { countersView } from '../counters.js';
import { createTables } from '../world.js';
import { Lanes, type Writing } from './lanes.js';
import { memoryLog, type Log } from './log.js';
import { counterOf, failingKeysOf, fatesOf, rowsOf, seenBy, waitingOf } from './reference.js';

/** What no release can count, and what one can that comes later. */
const poison = 13;
const poisonForNow = 17;
let isMended = false;
const counters = countersView({ poisonedBy: (by) => by === poison || (by === poisonForNow && !isMended), history: true });
const fails = (event: StoredEvent) => counterOf(event) === undefined || (event.data as { by?: number }).by === poison || ((event.data as { by?: number }).by === poisonForNow && !isMended);

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await (await connectDataSource(database.url, [])).destroy();
  await createTables(database, counters);
});
afterAll(() => database.drop());

const counterNames = ['a', 'b', 'c', 'd', 'e'] as const;
const event = fc.record({
  counter: fc.constantFrom(...counterNames),
  stream: fc.constantFrom('own', 'shared', 'other'),
  by: fc.oneof({ weight: 30, arbitrary: fc.integer({ min: 1, max: 9 }) }, { weight: 2, arbitrary: fc.constantFrom<unknown>(poison, poisonForNow) }, { weight: 3, arbitrary: fc.constantFrom<unknown>('many', 'removed') }),
});
const lane = fc.nat(7);
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('append' as const), events: fc.array(event, { minLength: 1, maxLength: 6 }) }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constant('take' as const), lane, events: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('restart' as const), lanes: fc.array(lane, { minLength: 5, maxLength: 5 }), writing: fc.constantFrom<Writing>(0, 1_000_000_000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('split' as const), slices: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('retry' as const), key: fc.option(lane, { nil: undefined }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('skip' as const), key: lane }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('mend' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;
const meanwhile = fc.array(fc.array(step, { maxLength: 4 }), { maxLength: 4 });
const work = fc.oneof(
  { weight: 12, arbitrary: fc.array(step, { minLength: 1, maxLength: 6 }).map((steps) => ({ do: 'steps' as const, steps })) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('rebuild' as const, 'compare' as const, 'roll back' as const), meanwhile }) },
);

test('wherever the slices stand: each event is in the rows unless it waits for an earlier one of its key or its stream', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 5 }), fc.array(work, { minLength: 2, maxLength: 8 }), (slices, works) =>
      running(slices, async (run) => {
        for (const now of works) await run.do(now);
      }),
    ),
    { numRuns: Number(process.env['TARL_PROPERTY_RUNS'] ?? 40) },
  );
}, 900_000);

test('a comparison sees no difference where only some of the slices have come to an event whose key cannot be told', async () => {
  const events = (['many', 1, 2, 3] as const).flatMap((by) => (by === 'many' ? (['a'] as const) : counterNames).map((counter) => ({ counter, stream: 'shared' as const, by })));
  for (const other of [0, 1]) {
    // One of them has seen all, the other nothing, when the rows are compared.
    const apart: Step[] = [{ do: 'restart', lanes: [0, 1, 0, 0, 0], writing: 0 }, { do: 'append', events }, { do: 'take', lane: other, events: 100 }];
    await running(2, async (run) => {
      await run.do({ do: 'compare', meanwhile: [[], [], apart] });
      expect((await readCheckpoints(database.pool)).get('counters')!.slices.map(({ position }) => position.commit > 0n)).toEqual([other === 0, other === 1]);
    });
  }
});

describe('an event that somebody has decided to go on without', () => {
  const events = (['many', 1] as const).map((by) => ({ counter: 'a' as const, stream: 'shared' as const, by }));
  const [append, skip]: Step[] = [{ do: 'append', events }, { do: 'skip', key: 0 }];

  test.each([0, 1, 2])('while a rebuild stands between two steps, %i others before that, is left out of its rows too', (before) =>
    running(1, async (run) => {
      await run.do({ do: 'steps', steps: [append!, { do: 'take', lane: 0, events: 10 }] });
      await run.do({ do: 'rebuild', meanwhile: [...Array.from({ length: before }, () => []), [skip!]] });
    }));

  test('is left out of the former rows too once they are put back', () =>
    running(1, async (run) => {
      await run.do({ do: 'steps', steps: [append!, { do: 'take', lane: 0, events: 10 }] });
      await run.do({ do: 'rebuild', meanwhile: [] });
      await run.do({ do: 'steps', steps: [skip!] });
      await run.do({ do: 'roll back', meanwhile: [] });
    }));
});

/** Does the work, and then whatever brings everything to its end. */
async function running(slices: number, work: (run: Run) => Promise<void>): Promise<void> {
  const run = await begin(slices);
  try {
    await work(run);
    await run.atTheEnd();
  } finally {
    await run.lanes.close();
  }
}

async function begin(slices: number): Promise<Run> {
  isMended = false;
  const { pool } = database;
  await pool.query('truncate projection_checkpoints, projection_parked_keys, projection_parked_events, projection_builds, projection_formers, counters, counters_history');
  await pool.query('drop table if exists counters__former, counters_history__former, counters__shadow, counters_history__shadow');
  await beginViews(pool, [counters]);
  const run = new Run(memoryLog());
  await splitView(counters, slices, run.world);
  await run.lanes.share((slice) => slice % 2);
  return run;
}

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

class Run {
  readonly lanes: Lanes;
  readonly world: World;
  private readonly skipped = new Set<string>();
  /** Events wait that could be taken, until they are tried again. */
  private mayWaitInVain = false;

  constructor(private readonly log: Log) {
    const { pool } = database;
    this.world = {
      eventStore: log as unknown as EventStore,
      pool, log: silent, reached: new Reached(), rates: new Rates(), parked: new ParkedCounts(pool), slowViews: new SlowViews(),
      limits: { ...defaultLimits, traffic: { flows: false, look: async () => undefined } },
    };
    this.lanes = new Lanes(counters, log, this.world);
  }

  async do(now: typeof work extends fc.Arbitrary<infer Value> ? Value : never): Promise<void> {
    if (now.do === 'steps') for (const each of now.steps) await this.step(each);
    else await this.beside(now.do, now.meanwhile);
    await this.check();
  }

  /** Everything is taken, and tried again: then nothing but the last word counts. */
  async atTheEnd(): Promise<void> {
    await this.lanes.takeAll();
    await this.check();
    await this.retry({});
    await this.writeAll();
    await this.check();
    expect((await compareRebuilt(counters, this.world, { interrupted: new AbortController().signal })).same).toBe(true);
  }

  private async step(now: Step): Promise<void> {
    switch (now.do) {
      case 'append':
        for (const { counter, stream, by } of now.events) this.log.append(stream === 'own' ? `counter-${counter}` : stream, by === 'removed' ? 'CounterRemoved' : 'CounterRaised', { counter, ...(by !== 'removed' && { by }) });
        break;
      case 'take':
        await this.lanes.take(now.lane, now.events);
        break;
      case 'restart':
        this.lanes.writing = now.writing;
        await this.lanes.share((slice) => now.lanes[slice]! % 3);
        break;
      case 'split':
        await splitView(counters, now.slices, this.world);
        break;
      case 'retry':
        await this.retry(now.key === undefined ? {} : { key: (await this.parked(now.key))?.key });
        break;
      case 'skip':
        await this.skip(await this.parked(now.key, ({ error }) => error !== undefined));
        break;
      case 'mend':
        isMended = this.mayWaitInVain = true;
    }
  }

  /** The work of an operator, and what comes to pass between its steps. */
  private async beside(work: 'rebuild' | 'compare' | 'roll back', meanwhile: Step[][]): Promise<void> {
    const left = [...meanwhile];
    let since: Promise<void> | undefined;
    const standstill = () => {
      if (since) return void (since = undefined);
      return (since = this.pass(left.shift()));
    };
    const steering = { interrupted: new AbortController().signal, standstill };
    if (work === 'rebuild') await rebuild(counters, this.world, () => undefined, steering.interrupted, steering);
    else if (work === 'compare') {
      const wasTold = !this.mayWaitInVain;
      const { same } = await compareRebuilt(counters, this.world, steering);
      if (wasTold && !this.mayWaitInVain) expect(same).toBe(true);
    } else {
      await rollBack(counters, this.world, steering).catch(unlessNoFormer);
      this.mayWaitInVain ||= isMended;
    }
  }

  /** Whoever compares waits until the slices have come as far as the log did at some time. */
  private async pass(steps: readonly Step[] | undefined): Promise<void> {
    await this.writeAll();
    for (const each of steps ?? []) await this.step(each.do === 'restart' ? { ...each, writing: 0 } : each);
  }

  /** Every slice comes to the end of the log, and says so. */
  private async writeAll(): Promise<void> {
    await this.step({ do: 'restart', lanes: [0, 0, 0, 0, 0], writing: 0 });
    await this.lanes.takeAll();
  }

  private async retry(choice: RetryChoice): Promise<void> {
    await retryParked(counters, this.world, choice, new AbortController().signal);
    if (choice.key === undefined) this.mayWaitInVain = false;
  }

  private async parked(which: number, isWanted: (key: ParkedKey) => boolean = () => true): Promise<ParkedKey | undefined> {
    const parked = (await listParked(database.pool, 'counters')).filter(isWanted);
    return parked[which % parked.length];
  }

  /** As the command does: the log knows of it before it takes effect. */
  private async skip(parked: ParkedKey | undefined): Promise<void> {
    const event = this.log.events.find(({ id }) => id === parked?.event.id);
    if (parked?.error === undefined || !event || (event.data as { by?: unknown }).by === poisonForNow) return;
    const { id, type, stream, position } = parked.event;
    this.log.append('projection-counters', 'ParkedEventSkipped', { view: 'counters', key: parked.key, event: { id, type, stream, position }, error: parked.error, reason: 'it was a joke' });
    this.skipped.add(id);
    await retryParked(counters, this.world, { key: parked.key, skip: id }, new AbortController().signal);
  }

  private async check(): Promise<void> {
    const { slices } = (await readCheckpoints(database.pool)).get('counters')!;
    if (this.mayWaitInVain) return;
    const fates = fatesOf(this.log.events, fails, this.skipped);
    for (const { slice, position } of slices) this.checkReached(slice, position, fates, slices.length);
    const seen = seenBy(slices.map(({ position }) => position), fates);
    const { rows } = await database.pool.query('select counter, sum::int, events, latest from counters');
    expect(Object.fromEntries(rows.map(({ counter, ...row }) => [counter, row]))).toEqual(rowsOf(seen));
    const { rows: waiting } = await database.pool.query('select event_id as id, key from projection_parked_events where view = $1 and not shadow order by commit_position', ['counters']);
    expect(waiting).toEqual(waitingOf(seen));
    const parked = await listParked(database.pool, 'counters');
    expect(parked.filter(({ error }) => error !== undefined).map(({ key }) => key).sort()).toEqual(failingKeysOf(seen));
  }

  /** What a slice is said to hold that is not written is nothing of its own. */
  private checkReached(slice: number, stored: StoredEvent['position'], fates: ReturnType<typeof fatesOf>, of: number): void {
    const held = this.world.reached.ofOwn('counters', slice);
    // Lanes that have not noticed a split yet speak of other slices.
    if (!held || this.lanes.of !== of) return;
    const missed = seenBy(Array.from({ length: of }, (_, index) => (index === slice ? held : stored)), fates).filter(({ event }) => comparePositions(event.position, stored) > 0);
    expect(missed).toEqual([]);
  }
}

function unlessNoFormer(error: { details?: { reason?: string } }): void {
  if (error.details?.reason !== 'NO_FORMER_ROWS') throw error;
}
