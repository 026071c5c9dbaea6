import type { EventStoreDBClient } from '@eventstore/db-client';
import { AppendCall } from './append-call.js';
import { inTime, type Surroundings } from './reads.js';

/** The open BatchAppend calls: one that appends share, and one for each append that is sent again. */
export class AppendCalls {
  private shared: { client: EventStoreDBClient; call: Promise<AppendCall> } | undefined;
  private readonly open = new Set<AppendCall>();

  constructor(private readonly surroundings: Surroundings) {}

  /** The call that all appends of this client share. */
  toShare(client: EventStoreDBClient, deadlineMs: number, what: string): Promise<AppendCall> {
    if (this.shared?.client !== client) this.replaceShared(client);
    return inTime(this.shared!.call, deadlineMs, what);
  }

  /** A call for one append alone; it ends with its answer. */
  alone(client: EventStoreDBClient, deadlineMs: number, what: string): Promise<AppendCall> {
    return inTime(this.start(client, true, () => undefined), deadlineMs, what, (late) => late.retire());
  }

  /** Breaks off all calls. */
  close(): void {
    for (const call of this.open) call.cancel('The connection to the event store is closed');
  }

  private replaceShared(client: EventStoreDBClient): void {
    const log = this.surroundings.log;
    this.shared?.call.then((call) => call.retire()).catch((error: unknown) => log('A call for appends never opened', { error }));
    const forget = () => {
      if (this.shared === shared) this.shared = undefined;
    };
    const shared = { client, call: this.start(client, false, forget) };
    this.shared = shared;
    shared.call.catch(forget);
  }

  private async start(client: EventStoreDBClient, alone: boolean, onOver: () => void): Promise<AppendCall> {
    const { connection, log } = this.surroundings;
    const stream = await connection.call(client, 'append', (streams, metadata, options) => streams.batchAppend(metadata, options));
    const call = new AppendCall(stream, {
      alone,
      log,
      onOver: () => {
        this.open.delete(call);
        onOver();
      },
    });
    this.open.add(call);
    return call;
  }
}
