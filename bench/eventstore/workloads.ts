import { EventStoreDBClient, jsonEvent, START } from '@eventstore/db-client';
import { setTimeout as pause } from 'node:timers/promises';
import { percentile } from '../kit.js';

/** An event with 300 bytes of data. */
export const event = () => jsonEvent({ type: 'Written', data: { fill: 'x'.repeat(289) } });

/** Appends of one event each, so many in flight; per second. */
export async function singleAppends(url: string, total: number, inFlight: number): Promise<number> {
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
export async function batches(url: string, total: number, size: number, inFlight: number): Promise<number> {
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
export async function readLog(url: string, total: number): Promise<number> {
  return withClient(url, async (client) => {
    const begin = performance.now();
    const reading = client.readAll({ fromPosition: START, maxCount: total });
    let got = 0;
    for await (const _ of reading) got++;
    await reading.cancel();
    if (got < total) throw new Error(`read ${got} of ${total} events`);
    return total / seconds(begin);
  });
}

/** Events of the log delivered to one subscription that begins at its start; per second. */
export async function subscribeFromStart(url: string, total: number): Promise<number> {
  return withClient(url, async (client) => {
    const begin = performance.now();
    const subscription = client.subscribeToAll({ fromPosition: START });
    let got = 0;
    for await (const _ of subscription) if (++got === total) break;
    const perSecond = total / seconds(begin);
    await subscription.unsubscribe();
    return perSecond;
  });
}

/** From the acknowledgement of an append until a subscriber of its category sees it; in ms, one for each append. */
export async function categoryDelays(url: string, category: string, appends: number): Promise<number[]> {
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
export async function readStream(url: string, stream: string, total: number): Promise<number> {
  return withClient(url, async (client) => {
    const begin = performance.now();
    let got = 0;
    for await (const _ of client.readStream(stream, { maxCount: total })) got++;
    if (got < total) throw new Error(`read ${got} of ${total} events of ${stream}`);
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
export async function deliveryLatency(url: string, perSecond: number, durationMs: number): Promise<number> {
  return withClient(url, (writer) =>
    withClient(url, async (reader) => {
      const subscription = reader.subscribeToStream('paced');
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

/** One append after another; the median in ms. */
export async function appendLatency(url: string, total: number): Promise<{ p50: number; p99: number }> {
  return withClient(url, async (client) => {
    const times: number[] = [];
    for (let i = 0; i < total; i++) {
      const begin = performance.now();
      await client.appendToStream('one-by-one', event());
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
