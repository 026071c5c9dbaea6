import { binaryEvent, END, type EventData, EventStoreDBClient, jsonEvent, START } from '@eventstore/db-client';
import type { EventEmitter } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { percentile } from '../kit.js';

const bytes = new Uint8Array(256).fill(7);

/** What the data of the written events is. */
export type Kind = '300 bytes of JSON' | '256 bytes';
const events: Record<Kind, () => EventData> = {
  '300 bytes of JSON': () => jsonEvent({ type: 'Written', data: { fill: 'x'.repeat(289) } }),
  '256 bytes': () => binaryEvent({ type: 'Written', data: bytes }),
};
const event = events['300 bytes of JSON'];

/** Appends of one event each, so many in flight; per second. */
async function singleAppends(url: string, kind: Kind, total: number, inFlight: number): Promise<number> {
  const event = events[kind];
  return withClient(url, async (client) => {
    await client.appendToStream('bench-0', event());
    let started = 0;
    const begin = performance.now();
    const worker = async (stream: string) => {
      while (started++ < total) await client.appendToStream(stream, event());
    };
    await Promise.all(Array.from({ length: inFlight }, (_, i) => worker(`bench-${i}`)));
    return total / seconds(begin);
  });
}

/** Events in appends of so many, so many appends in flight; per second. */
async function batches(url: string, kind: Kind, total: number, size: number, inFlight: number): Promise<number> {
  const event = events[kind];
  return withClient(url, async (client) => {
    await client.appendToStream('bench-0', event());
    let started = 0;
    const begin = performance.now();
    const worker = async (stream: string) => {
      while ((started += size) <= total) await client.appendToStream(stream, Array.from({ length: size }, event));
    };
    await Promise.all(Array.from({ length: inFlight }, (_, i) => worker(`batch-${i}`)));
    return total / seconds(begin);
  });
}

/** Events of the log read by one reader; per second. */
async function readLog(url: string, total: number): Promise<number> {
  return withClient(url, async (client) => {
    const begin = performance.now();
    await taken(client.readAll({ fromPosition: START, maxCount: total }), total);
    return total / seconds(begin);
  });
}

/** Events of the log delivered to one subscription that begins at its start; per second. */
async function subscribeFromStart(url: string, total: number): Promise<number> {
  return withClient(url, async (client) => {
    const begin = performance.now();
    const subscription = client.subscribeToAll({ fromPosition: START });
    await taken(subscription, total);
    const perSecond = total / seconds(begin);
    await subscription.unsubscribe();
    return perSecond;
  });
}

/** Resolves when so many events have come. */
function taken(events: Pick<EventEmitter, 'on'>, total: number): Promise<void> {
  let got = 0;
  return new Promise((resolve, reject) => {
    events.on('data', () => ++got === total && resolve());
    events.on('end', () => reject(new Error(`${got} of ${total} events came`)));
    events.on('error', reject);
  });
}

/** Each time another one, so that nothing in it is old. */
let categories = 0;

/** From the acknowledgement of an append until a subscriber of its category sees it; in ms, one for each append. */
async function categoryDelays(url: string, appends: number): Promise<number[]> {
  const category = `followed${++categories}`;
  return withClient(url, async (client) => {
    let arrived: () => void = () => undefined;
    const next = () => new Promise<number>((resolve) => (arrived = () => resolve(performance.now())));
    const subscription = client.subscribeToStream(`$ce-${category}`, { fromRevision: START }).on('data', () => arrived());
    const delays: number[] = [];
    for (let n = 0; n < appends; n++) {
      const seen = next();
      await client.appendToStream(`${category}-${n % 5}`, event());
      const acknowledged = performance.now();
      delays.push(Math.max(0, (await seen) - acknowledged));
    }
    await subscription.unsubscribe();
    return delays;
  });
}

/** Events of one stream read from its start by one reader; per second. */
async function readStream(url: string, stream: string, total: number): Promise<number> {
  return withClient(url, async (client) => {
    const begin = performance.now();
    await taken(client.readStream(stream, { maxCount: total }), total);
    return total / seconds(begin);
  });
}

/** Opens so many live subscriptions, lets each receive one event, and gives what `measure` says while they are open. */
export async function subscribers<T>(url: string, count: number, measure: () => T): Promise<T> {
  return withClient(url, async (client) => {
    const subscriptions = Array.from({ length: count }, (_, i) => client.subscribeToStream(`followed-${i % 100}`));
    const received = subscriptions.map((subscription) => new Promise<void>((resolve, reject) => subscription.once('data', () => resolve()).once('error', reject)));
    await Promise.all(subscriptions.map((subscription) => new Promise<void>((resolve) => subscription.once('caughtUp', () => resolve()))));
    for (let i = 0; i < 100; i++) await client.appendToStream(`followed-${i}`, event());
    await Promise.all(received);
    const measured = measure();
    await Promise.all(subscriptions.map((subscription) => subscription.unsubscribe()));
    return measured;
  });
}

/** The time from an append to its delivery to a live subscriber, at a steady rate; the 99th percentile in ms. */
async function deliveryLatency(url: string, perSecond: number, durationMs: number): Promise<number> {
  return withClient(url, (writer) =>
    withClient(url, async (reader) => {
      const subscription = reader.subscribeToStream('paced', { fromRevision: END });
      const latencies: number[] = [];
      subscription.on('data', ({ event: received }) => latencies.push(performance.now() - (received!.data as { at: number }).at));
      await new Promise((resolve) => subscription.once('caughtUp', resolve));
      const begin = performance.now();
      const pending: Promise<unknown>[] = [];
      let sent = 0;
      while (performance.now() - begin < durationMs) {
        for (const due = ((performance.now() - begin) / 1000) * perSecond; sent < due; sent++) {
          pending.push(writer.appendToStream('paced', jsonEvent({ type: 'Paced', data: { at: performance.now(), fill: 'x'.repeat(260) } })));
        }
        // A client that spins would take the processor from the server.
        await pause(1);
      }
      await Promise.all(pending);
      while (latencies.length < sent) await new Promise((resolve) => subscription.once('data', resolve));
      await subscription.unsubscribe();
      return percentile(latencies, 0.99);
    }),
  );
}

/** One append after another; in ms. */
async function appendLatency(url: string, kind: Kind, total: number): Promise<{ p50: number; p99: number }> {
  return withClient(url, async (client) => {
    const times: number[] = [];
    for (let i = 0; i < total; i++) {
      const begin = performance.now();
      await client.appendToStream('one-by-one', events[kind]());
      times.push(performance.now() - begin);
    }
    return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
  });
}

async function withClient<T>(url: string, use: (client: EventStoreDBClient) => Promise<T>): Promise<T> {
  const client = EventStoreDBClient.connectionString(url);
  try {
    return await use(client);
  } finally {
    await client.dispose();
  }
}

const seconds = (begin: number): number => (performance.now() - begin) / 1000;

/** What a client can be asked to do. */
export const workloads = { singleAppends, batches, readLog, readStream, subscribeFromStart, deliveryLatency, categoryDelays, appendLatency };
