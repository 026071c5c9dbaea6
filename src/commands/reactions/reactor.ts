import type { Pool, PoolClient } from 'pg';
import { backoffMs, pause } from '../../platform/eventstore/backoff.js';
import type { EventStore, StoredEvent } from '../../platform/eventstore/port.js';
import { traceparentIn } from '../../platform/telemetry/traceparent.js';
import { noTracing, type Tracing } from '../../platform/telemetry/tracing.js';
import type { RequestContext } from '../kit/command.js';
import { withTraceparent, type Execute } from '../kit/traced.js';
import type { Order, Reaction } from './define.js';
import { follow, type Surroundings } from './follow.js';

export interface ReactorOptions {
  readonly eventStore: EventStore;
  readonly pool: Pool;
  readonly reactions: readonly Reaction[];
  readonly execute: Execute;
  readonly tracing?: Tracing;
  readonly log: Surroundings['log'];
}

/** The lock of the one process that reacts; the compare-and-set of each checkpoint makes a second one harmless. */
const reactorLock = 0x7461_726c_0003;
const longestPause_ms = 2_000;

/** Issues what the log leads to: each reaction in a lane of its own, all of them in one process at a time. */
export class Reactor {
  private readonly stopping = new AbortController();
  private readonly surroundings: Surroundings;
  private running: Promise<void> | undefined;

  constructor(private readonly options: ReactorOptions) {
    const { eventStore, log, execute, tracing = noTracing } = options;
    const issue: Surroundings['issue'] = (reaction, event, { command, input }, index) => {
      const context = contextOf(reaction, event, index);
      if (context.traceparent === undefined) return execute(command, input, context);
      return tracing.inSpan(`react ${reaction.name}`, context.traceparent, (own) => execute(command, input, withTraceparent(context, own)), { kind: 'consumer', attributes: { event: event.id } });
    };
    this.surroundings = { eventStore, log, issue };
  }

  /** Starts in the background; without reactions it does nothing. */
  start(): void {
    if (this.options.reactions.length > 0) this.running = this.keepTerms();
  }

  /** Ends after the command under way. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async keepTerms(): Promise<void> {
    const { signal } = this.stopping;
    for (let failures = 0; !signal.aborted; ) {
      try {
        failures = (await this.term(signal)) ? 0 : failures + 1;
      } catch (error) {
        failures++;
        this.options.log.warn({ err: error }, 'The reactions stopped and are taken up again');
      }
      await pause(backoffMs(failures + 1, longestPause_ms), signal);
    }
  }

  /** Reacts for as long as the lock is held; false when another process holds it. */
  private async term(stopping: AbortSignal): Promise<boolean> {
    const client = await this.options.pool.connect();
    const lost = new AbortController();
    const onEnd = () => lost.abort();
    client.on('error', onEnd).on('end', onEnd);
    try {
      if (!(await tryLock(client))) return false;
      const ended = new AbortController();
      const signal = AbortSignal.any([stopping, lost.signal, ended.signal]);
      const lanes = this.options.reactions.map((reaction) => follow(reaction, client, this.surroundings, signal));
      await Promise.all(lanes).finally(() => ended.abort());
      return true;
    } finally {
      client.off('error', onEnd).off('end', onEnd);
      // The lock belongs to the session and goes with it.
      client.release(true);
    }
  }
}

async function tryLock(client: PoolClient): Promise<boolean> {
  const { rows } = await client.query('select pg_try_advisory_lock($1) as held', [reactorLock]);
  return rows[0].held;
}

/** The command's id comes from the event's id and the reaction's name, so however often it is issued it takes effect once. */
function contextOf({ name }: Reaction, { id, metadata }: StoredEvent, index: number): RequestContext {
  const text = (key: string) => (typeof metadata[key] === 'string' ? (metadata[key] as string) : undefined);
  return {
    caller: { actor: `reaction:${name}`, may: () => true },
    idempotencyKey: `${id} ${index}`,
    causationId: id,
    correlationId: text('correlationId'),
    traceparent: traceparentIn(metadata),
  };
}
