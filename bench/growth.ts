import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventStore } from '../src/platform/eventstore/embedded/store/event-store.js';
import { NO_BYTES } from '../src/platform/eventstore/embedded/wire/recorded-event.js';
import { measuredInTurns, startClient, type BenchClient } from './eventstore/clients.js';
import { startNode, type BenchServer } from './eventstore/servers.js';
import { subscribers } from './eventstore/workloads.js';
import { median, type BenchOptions, type Row } from './kit.js';

/** The events of one batch, and how many of those batches go to a stream that has been there from the start. */
const eventsPerBatch = 500;
const streams = 20_000;
/** The long stream of which a part is read. */
const long = 'stream-0';
const ROUNDS = 7;

/** The embedded node on a store of 10 million events beside one of 100,000: it shall be as quick, and no larger in memory. */
export async function growthBench({ scale, log }: BenchOptions): Promise<Row[]> {
  const [small, large] = [100_000, Math.max(200_000, 10_000_000 * scale)];
  const folders = [await filled(small, log), await filled(large, log)];
  const opening = median([await openMs(folders[1]!), await openMs(folders[1]!), await openMs(folders[1]!)]);
  const nodes = [await startNode(folders[0]), await startNode(folders[1])] as const;
  try {
    const compared = (what: string, client: (url: string) => BenchClient) => beside(nodes, [small, large], what, client);
    return [
      { what: `opening a store of ${millions(large)} events, with the start of its process`, measured: opening / 1000, unit: 's', target: '2 s', reached: opening <= 2000 },
      await compared('appends, 64 in flight', (url) => startClient('singleAppends', url, '300 bytes of JSON', Math.max(2000, 10_000 * scale), 64)),
      await compared('reading one stream', (url) => startClient('readStream', url, long, Math.min(20_000, small / 20))),
      memoryRow(`resident memory of the node on ${millions(large)} events`, nodes[1].memory()),
      await manySubscribers(nodes[1]),
    ];
  } finally {
    for (const node of nodes) await node.stop();
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  }
}

/** A store of so many events in many streams, one of which has every twentieth of them. */
async function filled(events: number, log: BenchOptions['log']): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tarl-bench-growth-'));
  const store = await EventStore.open(folder);
  const started = performance.now();
  const type = Buffer.from('Written');
  const data = Buffer.from(JSON.stringify({ fill: 'x'.repeat(289) }));
  const batch = (n: number) =>
    new Promise<void>((resolve, reject) => {
      const proposed = Array.from({ length: eventsPerBatch }, () => ({ id: randomUUID(), type, isJson: true, metadata: NO_BYTES, data }));
      store.append(n % 20 === 0 ? long : `stream-${1 + (n % streams)}`, 'any', proposed, (_, failure) => (failure ? reject(failure) : resolve()));
    });
  for (let n = 0; n < events / eventsPerBatch; n += 16) await Promise.all(Array.from({ length: Math.min(16, events / eventsPerBatch - n) }, (_, i) => batch(n + i)));
  await store.close();
  log(`  ${millions(events)} events written in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return folder;
}

async function openMs(folder: string): Promise<number> {
  const started = performance.now();
  const node = await startNode(folder);
  const took = performance.now() - started;
  await node.stop();
  return took;
}

async function beside([small, large]: readonly [BenchServer, BenchServer], [few, many]: readonly [number, number], what: string, client: (url: string) => BenchClient): Promise<Row> {
  const { measured, limit, ratio } = await measuredInTurns(ROUNDS, client(large.url), client(small.url));
  return { what: `${what}, at ${millions(many)} events`, measured, unit: 'events/s', limit: { what: `at ${millions(few)}`, measured: limit }, ratio, target: 'within 10 %', reached: ratio >= 0.9 };
}

async function manySubscribers(node: BenchServer): Promise<Row> {
  const memory = await subscribers(node.url, 1000, () => node.memory());
  return memoryRow('with 1,000 open subscriptions, each of which has received an event', memory);
}

const memoryRow = (what: string, measured: number): Row => ({ what, measured, unit: 'MiB', target: '200 MiB', reached: measured <= 200 });
const millions = (events: number): string => (events >= 1e6 ? `${+(events / 1e6).toFixed(1)} million` : events.toLocaleString('en'));
