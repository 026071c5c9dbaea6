import { START } from '@eventstore/db-client';
import { backoffMs, pause } from './backoff.js';
import { failureOf } from './failures.js';
import { serverFilter, wanted } from './filter.js';
import { EventFlow, Silence } from './flow.js';
import { comparePositions, type Batch, type SubscribeOptions } from './port.js';
import { defaultDeadlineMs, silence, type Surroundings } from './reads.js';

const what = 'The subscription to the log';
const longestBackoffMs = 5_000;

/**
 * Follows the log until the signal aborts. The client ends a subscription with the first failure; here the next
 * one takes over from the last place delivered, so that nothing is skipped and nothing comes twice.
 */
export async function* subscribe(options: SubscribeOptions, { connection, closing, log }: Surroundings): AsyncGenerator<Batch> {
  const signal = AbortSignal.any([options.signal, closing]);
  const filter = serverFilter(options.filter);
  const passes = wanted(options.filter, false);
  const maxEvents = options.maxBuffer ?? 4096;
  let position = options.from;
  let failures = 0;

  while (!signal.aborted) {
    const { client } = connection;
    let flow: EventFlow | undefined;
    try {
      const after = position;
      flow = new EventFlow(client.subscribeToAll({ fromPosition: after.commit === 0n ? START : after, filter }), {
        wanted: (event) => passes(event) && comparePositions(event.position, after) > 0,
        maxEvents,
        onDemand: options.onDemand,
        signal,
        onCancelFailure: (error) => log(`${what} could not be cancelled`, { error }),
      });
      let live = false;
      // The server confirms at once; after that it may rightly be silent for as long as nothing is written.
      let silenceMs: number | undefined = defaultDeadlineMs;
      for (;;) {
        const gathered = await flow.next(silenceMs);
        if (signal.aborted) return;
        if (!gathered) throw new Error('the server ended it');
        silenceMs = undefined;
        live ||= gathered.caughtUp;
        const moved = gathered.position !== undefined && comparePositions(gathered.position, position) > 0;
        if (moved) position = gathered.position!;
        if (!moved && !gathered.caughtUp) continue;
        failures = 0;
        yield {
          events: gathered.events,
          position,
          live: live && gathered.events.length < maxEvents,
          latestRecordedAt: gathered.events.at(-1)?.recordedAt,
        };
      }
    } catch (error) {
      if (signal.aborted) return;
      const failure = error instanceof Silence ? silence(what, defaultDeadlineMs) : failureOf(error, { what });
      connection.renew(client, failure);
      log(`${what} broke off and is taken up again`, { error: failure.message, attempt: failures + 1 });
      await pause(backoffMs(failures++, longestBackoffMs), signal);
    } finally {
      flow?.cancel();
    }
  }
}
