import { pathToFileURL } from 'node:url';
import { inTurns, median, tableOf, type Bench, type Row } from './kit.js';
import { startNode, startStub } from './eventstore/servers.js';
import { appendLatency, batches, categoryDelays, deliveryLatency, readLog, singleAppends, subscribeFromStart } from './eventstore/workloads.js';

const ROUNDS = 5;

/** The embedded event store through the client, each beside the same client against a server that does nothing. */
export const eventstoreBench: Bench = async ({ scale, log }) => {
  const node = await startNode();
  const stub = await startStub();
  const rows: Row[] = [];
  const compare = async (what: string, target: number, work: (url: string) => Promise<number>) => {
    await work(node.url);
    await work(stub.url);
    const cpuBefore = node.cpuMs();
    const { measured, limit, ratio } = await inTurns(
      ROUNDS,
      () => work(node.url),
      () => work(stub.url),
    );
    const row: Row = { what, measured, unit: 'events/s', limit: { what: 'against a stub', measured: limit }, ratio, target: `${target} of the stub`, reached: ratio >= target };
    log(`${what}: ${Math.round(measured)} of ${Math.round(limit)} = ${ratio.toFixed(2)}; ${node.memory().toFixed(0)} MiB; server cpu ${node.cpuMs() - cpuBefore} ms`);
    rows.push(row);
  };
  try {
    await compare('appends of one 300-byte event, 64 in flight, durable', 0.8, (url) => singleAppends(url, 20_000 * scale, 64));
    await compare('appends of 1,000 events, 4 in flight, durable', 0.8, (url) => batches(url, 100_000 * scale, 1000, 4));
    await compare('appends of 500 events, 1 in flight, durable', 0.8, (url) => batches(url, 50_000 * scale, 500, 1));
    await compare('reading the log', 0.9, (url) => readLog(url, 100_000 * scale));
    rows.push(await subscriptionRow(node.url, 100_000 * scale, rows.at(-1)!.limit!.measured));
    rows.push(await latencyRow(node.url, scale));
    rows.push(await oneByOneRow(node.url, scale));
    rows.push(memoryRow(node.memory()));
  } finally {
    await node.stop();
    await stub.stop();
  }
  return [...rows, await categoryRow()];
};

/** A subscription beside what the same client reads from the stub: it can take no more than that. */
async function subscriptionRow(url: string, total: number, limit: number): Promise<Row> {
  const taken: number[] = [];
  for (let round = 0; round < ROUNDS; round++) taken.push(await subscribeFromStart(url, total));
  const measured = median(taken);
  return { what: 'a subscription from the start of the log', measured, unit: 'events/s', limit: { what: 'read against a stub', measured: limit }, ratio: measured / limit, target: '0.9 of the stub', reached: measured >= 0.9 * limit };
}

async function categoryRow(): Promise<Row> {
  const node = await startNode(undefined, 'all');
  try {
    await categoryDelays(node.url, 'first', 20);
    const delays = await categoryDelays(node.url, 'then', 60);
    const measured = median(delays);
    return { what: `from the acknowledgement to a subscriber of \`$ce-…\`, p50 of 60 (worst ${Math.max(...delays).toFixed(1)} ms)`, measured, unit: 'ms', target: '1 ms', reached: measured <= 1 };
  } finally {
    await node.stop();
  }
}

async function latencyRow(url: string, scale: number): Promise<Row> {
  const measured = await deliveryLatency(url, 5000, 4000 * scale);
  return { what: 'from append to delivery at 5,000 events/s, p99', measured, unit: 'ms', target: '10 ms', reached: measured <= 10 };
}

async function oneByOneRow(url: string, scale: number): Promise<Row> {
  const { p50 } = await appendLatency(url, 2000 * scale);
  return { what: 'one append after another, p50', measured: p50, unit: 'ms', target: '0.55 ms', reached: p50 <= 0.55 };
}

const memoryRow = (measured: number): Row => ({ what: 'resident memory of the node after all this', measured, unit: 'MiB', target: '200 MiB', reached: measured <= 200 });

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(tableOf(await eventstoreBench({ scale: Number(process.env['TARL_BENCH_SCALE'] ?? 1), log: (line) => process.stderr.write(`${line}\n`) })));
  process.exit(0);
}
