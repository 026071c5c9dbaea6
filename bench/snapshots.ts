import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { Aggregates } from '../src/commands/kit/aggregates.js';
import { PostgresSnapshots } from '../src/commands/kit/snapshots/postgres.js';
import { defineDecider, defineEvent } from '../src/domain/kit/index.js';
import { connect } from '../src/platform/eventstore/index.js';
import type { EventStore } from '../src/platform/eventstore/port.js';
import { connectDataSource } from '../src/platform/postgres/data-source.js';
import { makePool } from '../src/platform/postgres/pool.js';
import { startPostgres } from '../src/platform/postgres/server.js';
import { startNode } from './eventstore/servers.js';
import { inTurns, type BenchOptions, type Row } from './kit.js';

const rounds = 5;
const eventsAtOnce = 500;

/** A state of the usual size: a status and some settings, which the events change. */
const gauge = defineDecider({
  category: 'gauge',
  events: [defineEvent('GaugeSet', z.object({ by: z.string(), level: z.int() }))] as const,
  initialState: { levels: {} } as { readonly levels: Readonly<Record<string, number>> },
  on: { GaugeSet: ({ levels }, { by, level }) => ({ levels: { ...levels, [by]: level } }) },
});

/** The first touch of a stream after a restart, from its snapshot and without one. */
export async function snapshotsBench({ scale, log }: BenchOptions): Promise<Row[]> {
  const dir = await mkdtemp(join(tmpdir(), 'tarl-bench-snapshots-'));
  const [node, postgres] = await Promise.all([startNode(), startPostgres({ dir, port: 0, log: () => undefined })]);
  await (await connectDataSource(postgres.url, [])).destroy();
  const pool = makePool(postgres.url);
  const eventStore = connect(node.url);
  const rows: Row[] = [];
  for (const length of [1_000, 3_000, 10_000, 100_000 * scale]) rows.push(await firstTouch(eventStore, new PostgresSnapshots(pool, (error) => log(String(error))), length));
  await eventStore.close();
  await pool.end();
  await Promise.all([node.stop(), postgres.stop()]);
  await rm(dir, { recursive: true, force: true });
  return rows;
}

async function firstTouch(eventStore: EventStore, snapshots: PostgresSnapshots, length: number): Promise<Row> {
  const stream = `gauge-${length}`;
  for (let at = 0; at < length; at += eventsAtOnce) {
    const events = Array.from({ length: Math.min(eventsAtOnce, length - at) }, (_, index) => ({ id: randomUUID(), type: 'GaugeSet', data: { by: `b${index % 20}`, level: at + index }, metadata: { version: 1, commandId: randomUUID(), actor: 'key:bench' } }));
    await eventStore.append(stream, events, { expected: 'any' });
  }
  await new Aggregates(eventStore, snapshots).load(gauge, stream);
  await snapshots.settled();
  const took = async (aggregates: Aggregates) => {
    const started = performance.now();
    await aggregates.load(gauge, stream);
    return performance.now() - started;
  };
  const { measured, limit, ratio } = await inTurns(rounds, () => took(new Aggregates(eventStore, snapshots)), () => took(new Aggregates(eventStore)));
  const target = length >= 10_000 ? 'a fifth of reading it' : '';
  return { what: `first touch of a stream of ${length.toLocaleString('en')} events, from its snapshot`, measured, unit: 'ms', limit: { what: 'ms, reading all of it', measured: limit }, ratio: 1 / ratio, target, reached: target === '' || ratio <= 0.2 };
}
