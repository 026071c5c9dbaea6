import { binaryEvent, EventStoreDBClient } from '@eventstore/db-client';
import { median, percentile, type Bench, type BenchOptions, type Row } from '../kit.js';
import { measured, startClient, type BenchClient } from './clients.js';
import { startNode, type BenchServer } from './servers.js';
import type { Kind } from './workloads.js';

/** What an EventStoreDB 24.6 reached through the same client, on two cores that it shared with it. */
const recorded = {
  startMs: 1_200,
  batches: { one: 49_400, four: 65_300 },
  singles: 8_900,
  read: 85_600,
  subscription: 99_000,
  oneByOneMs: { p50: 0.55, p99: 1.3 },
  categoryMs: { p50: 1, worst: 14 },
  memoryMB: { idle: 416, full: 1_254 },
};

const ROUNDS = 5;
const kind: Kind = '256 bytes';

/** The embedded event store beside what was recorded of an EventStoreDB, with events of 256 bytes: its numbers are of another day. */
export const besideRecorded: Bench = async ({ scale, log }) => {
  const rows = [await startRow(), ...(await categoryRows())];
  const node = await startNode();
  const idle = node.memory();
  const rate = async (what: string, theirs: number, events: number, client: BenchClient) => rows.push(await rateRow(what, theirs, events, client, node, log));
  const [small, large] = [20_000 * scale, 100_000 * scale];
  try {
    await rate('appends of 500 events of 256 bytes, 1 in flight, durable', recorded.batches.one, large, startClient('batches', node.url, kind, large, 500, 1));
    await rate('appends of 500 events of 256 bytes, 4 in flight, durable', recorded.batches.four, large, startClient('batches', node.url, kind, large, 500, 4));
    await rate('appends of one 256-byte event, 64 in flight, durable', recorded.singles, small, startClient('singleAppends', node.url, kind, small, 64));
    await rate('reading a log of 256-byte events', recorded.read, 3 * large, startClient('readLog', node.url, 3 * large));
    await rate('a subscription from the start of that log', recorded.subscription, 3 * large, startClient('subscribeFromStart', node.url, 3 * large));
    rows.push(...(await oneByOneRows(node.url, scale)));
    rows.push(memoryRow('when it has just started', idle, recorded.memoryMB.idle), memoryRow(`after ${millions((ROUNDS + 1) * (2 * large + small))} events`, node.memory(), recorded.memoryMB.full));
  } finally {
    await node.stop();
  }
  return rows;
};

/** From the start of the node's process until the first append is acknowledged. */
async function startRow(): Promise<Row> {
  const took: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const begin = performance.now();
    const node = await startNode();
    const client = EventStoreDBClient.connectionString(node.url);
    await client.appendToStream('first', binaryEvent({ type: 'Written', data: new Uint8Array(256) }));
    took.push(performance.now() - begin);
    await client.dispose();
    await node.stop();
  }
  return atMost('from the start of the node to its first append', median(took) / 1000, 's', recorded.startMs / 1000, 0.3);
}

async function rateRow(what: string, theirs: number, events: number, client: BenchClient, node: BenchServer, log: BenchOptions['log']): Promise<Row> {
  const before = node.cpuMs();
  const { all, cpuMs } = await measured(ROUNDS, client);
  const each = (ms: number, rounds: number) => `${((ms * 1000) / events / rounds).toFixed(1)} µs`;
  log(`${what}: ${all.map(Math.round).join(', ')} events/s, each ${each(node.cpuMs() - before, ROUNDS + 1)} of the node and ${each(cpuMs, ROUNDS)} of the client`);
  const measuredRate = median(all);
  return { what, measured: measuredRate, unit: 'events/s', limit: { what: server, measured: theirs }, ratio: measuredRate / theirs, target: 'at least as fast', reached: measuredRate >= theirs };
}

/** So many to a round: the client's code is compiled while the first 15,000 or so, until when its own 99th percentile is more than twice as long. */
const ONE_BY_ONE = 10_000;

async function oneByOneRows(url: string, scale: number): Promise<Row[]> {
  const { all } = await measured(ROUNDS, startClient('appendLatency', url, kind, ONE_BY_ONE * scale));
  const { p50, p99 } = recorded.oneByOneMs;
  return [
    atMost('one append after another, p50', median(all.map((one) => one.p50)), 'ms', p50),
    atMost('one append after another, p99', median(all.map((one) => one.p99)), 'ms', p99),
  ];
}

async function categoryRows(): Promise<Row[]> {
  const node = await startNode(undefined, 'all');
  try {
    const [delays] = (await measured(1, startClient('categoryDelays', node.url, 60))).all as [number[]];
    const { p50, worst } = recorded.categoryMs;
    const what = 'from the acknowledgement to a subscriber of `$ce-…`';
    return [atMost(`${what}, p50 of 60`, median(delays), 'ms', p50), atMost(`${what}, worst of 60`, percentile(delays, 1), 'ms', worst)];
  } finally {
    await node.stop();
  }
}

const memoryRow = (when: string, mebibytes: number, theirs: number): Row => atMost(`resident memory of the node ${when}`, mebibytes * 1.048576, 'MB', theirs, theirs / 2);

const server = 'in a recorded EventStoreDB 24.6';

/** Where less is better: no more than theirs, or than the bound that is set for it. */
function atMost(what: string, measured: number, unit: string, theirs: number, bound = theirs): Row {
  const target = bound === theirs ? 'at least as fast' : `at most ${bound} ${unit}`;
  return { what, measured, unit, limit: { what: server, measured: theirs }, ratio: theirs / measured, target, reached: measured <= bound };
}

const millions = (events: number): string => `${+(events / 1e6).toFixed(2)} million`;
