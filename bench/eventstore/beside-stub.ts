import { median, type Bench, type Row } from '../kit.js';
import { measured, measuredInTurns, startClient, type BenchClient } from './clients.js';
import { startNode, startStub } from './servers.js';
import type { Kind } from './workloads.js';

const ROUNDS = 5;
const kind: Kind = '300 bytes of JSON';

/** The embedded event store through the client, each beside the same client against a server that does nothing. */
export const besideStub: Bench = async ({ scale, log }) => {
  const node = await startNode();
  const stub = await startStub();
  const rows: Row[] = [];
  const compare = async (what: string, target: number, clients: readonly [BenchClient, BenchClient], against = 'against a stub') => {
    const cpuBefore = node.cpuMs();
    const { measured, limit, ratio } = await measuredInTurns(ROUNDS, ...clients);
    log(`${what}: ${Math.round(measured)} of ${Math.round(limit)} = ${ratio.toFixed(2)}; ${node.memory().toFixed(0)} MiB; server cpu ${node.cpuMs() - cpuBefore} ms`);
    rows.push({ what, measured, unit: 'events/s', limit: { what: against, measured: limit }, ratio, target: `${target} of the stub`, reached: ratio >= target });
  };
  const both = (start: (url: string) => BenchClient) => [start(node.url), start(stub.url)] as const;
  try {
    await compare('appends of one 300-byte event, 64 in flight, durable', 0.8, both((url) => startClient('singleAppends', url, kind, 20_000 * scale, 64)));
    await compare('appends of 1,000 events, 4 in flight, durable', 0.8, both((url) => startClient('batches', url, kind, 100_000 * scale, 1000, 4)));
    await compare('appends of 500 events, 1 in flight, durable', 0.8, both((url) => startClient('batches', url, kind, 50_000 * scale, 500, 1)));
    await compare('reading the log', 0.9, both((url) => startClient('readLog', url, 100_000 * scale)));
    // It can take no more than the client reads.
    const subscribed = [startClient('subscribeFromStart', node.url, 100_000 * scale), startClient('readLog', stub.url, 100_000 * scale)] as const;
    await compare('a subscription from the start of the log', 0.9, subscribed, 'read against a stub');
    rows.push(await deliveryRow(node.url, scale), memoryRow(node.memory()));
  } finally {
    await node.stop();
    await stub.stop();
  }
  return rows;
};

async function deliveryRow(url: string, scale: number): Promise<Row> {
  const p99 = median((await measured(5, startClient('deliveryLatency', url, 5000, 4000 * scale))).all);
  return { what: 'from append to delivery at 5,000 events/s, p99', measured: p99, unit: 'ms', target: '10 ms', reached: p99 <= 10 };
}

const memoryRow = (measured: number): Row => ({ what: 'resident memory of the node after all this', measured, unit: 'MiB', target: '200 MiB', reached: measured <= 200 });
