import { ANY, StreamDeletedError } from '@eventstore/db-client';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import empty from 'google-protobuf/google/protobuf/empty_pb.js';
import { AppendCall } from '../../../append-call.js';
import type { AppendMessage } from '../../../append-message.js';
import { Connection } from '../../../client.js';
import { failureOf } from '../../../failures.js';
import { connect } from '../../../index.js';
import { comparePositions, startOfLog, type Position } from '../../../position.js';
import type { ReadAnswer } from '../../../read-answer.js';
import { EventFromLog } from '../../../stored-event.js';
import type { Source, Target } from './ends.js';
import type { LoggedEvent } from './logged-event.js';

const DEADLINE_MS = 60_000;
/** Events gathered before they are handed on. */
const AT_ONCE = 256;

/** The log of any EventStoreDB, at an `esdb://` address. */
export function serverSource(url: string): Source {
  const connection = new Connection(url, { ownAnswers: true });
  const store = connect(url);
  return {
    async end() {
      for await (const { position } of store.readLog({ direction: 'backwards', limit: 1, system: true })) return position;
      return startOfLog;
    },
    events: (after) => readAll(connection, after),
    close: async () => {
      connection.close();
      await store.close();
    },
  };
}

async function* readAll(connection: Connection, after: Position): AsyncGenerator<LoggedEvent[]> {
  const call = await connection
    .call(connection.client, 'export', (service, metadata, options) => service.read(readRequest(after), metadata, options))
    .catch((error: unknown) => {
      throw failureOf(error, { what: 'Reading the log' });
    });
  let gathered: LoggedEvent[] = [];
  try {
    for await (const answer of call as AsyncIterable<unknown> as AsyncIterable<ReadAnswer>) {
      if (!(answer instanceof EventFromLog)) continue;
      const logged = loggedEvent(answer);
      // A read begins with the event at the position that it is given.
      if (comparePositions(logged.position, after) > 0) gathered.push(logged);
      if (gathered.length < AT_ONCE) continue;
      yield gathered;
      gathered = [];
    }
    yield gathered;
  } catch (error) {
    throw failureOf(error, { what: 'Reading the log' });
  } finally {
    call.cancel();
  }
}

function readRequest(after: Position) {
  const all = new streams.ReadReq.Options.AllOptions();
  if (comparePositions(after, startOfLog) === 0) all.setStart(new empty.Empty());
  else {
    const position = new streams.ReadReq.Options.Position();
    position.setCommitPosition(String(after.commit));
    position.setPreparePosition(String(after.prepare));
    all.setPosition(position);
  }
  const uuids = new streams.ReadReq.Options.UUIDOption();
  uuids.setString(new empty.Empty());
  const options = new streams.ReadReq.Options();
  options.setAll(all);
  options.setCount(String(Number.MAX_SAFE_INTEGER));
  options.setNoFilter(new empty.Empty());
  options.setUuidOption(uuids);
  const request = new streams.ReadReq();
  request.setOptions(options);
  return request;
}

function loggedEvent({ position, stream, revision, id, type, isJson, rawData, rawMetadata, created }: EventFromLog): LoggedEvent {
  return { position, stream, revision, id, type, isJson, data: rawData, metadata: rawMetadata, createdTicks: BigInt(created) };
}

/** Any EventStoreDB, at an `esdb://` address. All appends share one call, which the server works off in order. */
export async function serverTarget(url: string): Promise<Target> {
  const connection = new Connection(url);
  const { client } = connection;
  const store = connect(url);
  const failed = (stream: string) => (error: unknown) => {
    throw failureOf(error, { what: `Writing to ${stream}`, stream, changes: true });
  };
  const stream = await connection.call(client, 'import', (service, metadata, options) => service.batchAppend(metadata, options)).catch(failed('the log'));
  const call = new AppendCall(stream, { alone: true, onOver: () => undefined, log: () => undefined });
  return {
    async lastRevision(name) {
      for await (const { revision } of store.readStream(name, { direction: 'backwards', limit: 1 })) return revision;
      return -1n;
    },
    append: async (name, after, events) => (await call.append(messageOf(name, after, events), DEADLINE_MS)).revision,
    tombstone: async (name) => {
      await client.tombstoneStream(name, { expectedRevision: ANY }).catch((error: unknown) => {
        if (!(error instanceof StreamDeletedError)) failed(name)(error);
      });
    },
    keepsCreated: false,
    close: async () => {
      call.retire();
      connection.close();
      await store.close();
    },
  };
}

function messageOf(stream: string, after: bigint | 'any', events: readonly LoggedEvent[]): AppendMessage {
  return { stream, expected: after === 'any' ? 'any' : after < 0n ? 'none' : after, events: [], parts: [events.map(proposed)] };
}

function proposed({ id, type, isJson, data, metadata }: LoggedEvent) {
  const message = new streams.BatchAppendReq.ProposedMessage();
  const uuid = new shared.UUID();
  uuid.setString(id);
  message.setId(uuid);
  message.getMetadataMap().set('type', type).set('content-type', isJson ? 'application/json' : 'application/octet-stream');
  message.setData(data);
  message.setCustomMetadata(metadata);
  return message;
}
