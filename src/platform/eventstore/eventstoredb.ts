import { ANY, NO_STREAM, type EventStoreDBClient } from '@eventstore/db-client';
import { randomUUID } from 'node:crypto';
import { Appends } from './appends.js';
import { Connection, readWindowBytes } from './client.js';
import { EndOfLog } from './end-of-log.js';
import { failureOf } from './failures.js';
import type { AppendOptions, AppendResult, Batch, CallOptions, DeleteOptions, EventStore, LogReadOptions, NewEvent, Position, StoredEvent, StreamMetadata, StreamReadOptions, SubscribeOptions } from './port.js';
import { readLog } from './read-log.js';
import { readStream } from './read-stream.js';
import { defaultDeadlineMs, inTime, type Surroundings } from './reads.js';
import { fromServer, metadataStream, metadataType, toServer } from './stream-metadata.js';
import { subscribe } from './subscription.js';

/** Hears, as a sentence and its details, what went wrong and was healed. */
export type EventStoreLog = (message: string, details: Record<string, unknown>) => void;

/** The port, on an EventStoreDB, a KurrentDB or TARL's embedded node. */
export class EventStoreDb implements EventStore {
  private readonly closer = new AbortController();
  private readonly surroundings: Surroundings;
  /** Subscriptions have a connection of their own: thousands of small events that wait to be projected cost more than their way. */
  private readonly following: Surroundings;
  private readonly appends: Appends;
  private readonly end: EndOfLog;

  constructor(url: string, log: EventStoreLog) {
    // A follower may lack what the leader has acknowledged: a decision or an answer made of its log would be of yesterday.
    this.surroundings = { connection: new Connection(url, { toLeader: true, windowBytes: readWindowBytes, ownAnswers: true }), closing: this.closer.signal, log };
    this.following = { ...this.surroundings, connection: new Connection(url, { ownAnswers: true }) };
    this.appends = new Appends(this.surroundings);
    this.end = new EndOfLog(this.surroundings);
  }

  append(stream: string, events: readonly NewEvent[], options: AppendOptions): Promise<AppendResult> {
    return this.appends.append(stream, events, options);
  }

  readStream(stream: string, options: StreamReadOptions = {}): AsyncIterable<StoredEvent> {
    return readStream(stream, options, this.surroundings);
  }

  readLog(options: LogReadOptions = {}): AsyncIterable<StoredEvent> {
    return readLog(options, this.end, this.surroundings);
  }

  subscribe(options: SubscribeOptions): AsyncIterable<Batch> {
    return subscribe(options, this.following);
  }

  endOfLog(options: CallOptions = {}): Promise<Position> {
    return this.end.find(options);
  }

  async streamMetadata(stream: string, options: CallOptions = {}): Promise<StreamMetadata> {
    for await (const event of this.readStream(metadataStream(stream), { ...options, from: 'end', direction: 'backwards', limit: 1 })) {
      return fromServer(event.data as Record<string, unknown>);
    }
    return {};
  }

  setStreamMetadata(stream: string, metadata: StreamMetadata, { expected = 'any', ...options }: Partial<AppendOptions> = {}): Promise<AppendResult> {
    const event = { id: randomUUID(), type: metadataType, data: toServer(metadata), metadata: {} };
    return this.append(metadataStream(stream), [event], { expected, ...options });
  }

  deleteStream(stream: string, options: DeleteOptions = {}): Promise<void> {
    return this.change(`Deleting stream ${stream}`, stream, options, (client, request) => client.deleteStream(stream, request));
  }

  tombstoneStream(stream: string, options: DeleteOptions = {}): Promise<void> {
    return this.change(`Tombstoning stream ${stream}`, stream, options, (client, request) => client.tombstoneStream(stream, request));
  }

  async health({ deadlineMs = 2_000 }: CallOptions = {}): Promise<void> {
    await this.end.find({ deadlineMs, heal: false });
  }

  async close(): Promise<void> {
    this.closer.abort();
    this.appends.close();
    this.surroundings.connection.close();
    this.following.connection.close();
  }

  /** A deletion is sent once: repeated after an unknown outcome, it could delete what was written since. */
  private async change(
    what: string,
    stream: string,
    { expected = 'any', deadlineMs = defaultDeadlineMs }: DeleteOptions,
    send: (client: EventStoreDBClient, request: { expectedRevision: bigint | typeof ANY | typeof NO_STREAM; deadline: number }) => Promise<unknown>,
  ): Promise<void> {
    const { connection } = this.surroundings;
    const { client } = connection;
    const expectedRevision = expected === 'none' ? NO_STREAM : expected;
    try {
      await inTime(send(client, { expectedRevision, deadline: deadlineMs }), deadlineMs, what);
    } catch (error) {
      const failure = failureOf(error, { what, stream, expected, changes: true });
      connection.renew(client, failure);
      throw failure;
    }
  }
}
