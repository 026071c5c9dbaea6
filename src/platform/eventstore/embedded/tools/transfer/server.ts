import { ANY, BACKWARDS, END, StreamDeletedError, StreamNotFoundError } from '@eventstore/db-client';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import empty from 'google-protobuf/google/protobuf/empty_pb.js';
import { AppendCall } from '../../../append-call.js';
import type { AppendMessage } from '../../../append-message.js';
import { Connection } from '../../../client.js';
import { failureOf } from '../../../failures.js';
import { comparePositions, startOfLog, type Position } from '../../../position.js';
import { uuidText } from '../../../stored-event.js';
import type { Source, Target } from './ends.js';
import type { LoggedEvent } from './logged-event.js';

const DEADLINE_MS = 60_000;
/** Events gathered before they are handed on. */
const AT_ONCE = 256;

/** The log of any EventStoreDB, at an `esdb://` address. */
export function serverSource(url: string): Source {
  const connection = new Connection(url);
  return {
    end: () => lastPosition(connection),
    events: (after) => readAll(connection, after),
    close: async () => connection.close(),
  };
}

async function lastPosition({ client }: Connection): Promise<Position> {
  try {
    for await (const { event } of client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 })) if (event !== undefined) return event.position;
    return startOfLog;
  } catch (error) {
    throw failureOf(error, { what: 'Reading the log' });
  }
}

async function* readAll(connection: Connection, after: Position): AsyncGenerator<LoggedEvent[]> {
  const call = await connection
    .call(connection.client, 'export', (service, metadata, options) => service.read(readRequest(after), metadata, options))
    .catch((error: unknown) => {
      throw failureOf(error, { what: 'Reading the log' });
    });
  let gathered: LoggedEvent[] = [];
  try {
    for await (const reply of call as AsyncIterable<ReadResp>) {
      const event = reply.getEvent()?.getEvent();
      if (event === undefined) continue;
      const logged = loggedEvent(event);
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

function loggedEvent(recorded: ReadResp.ReadEvent.RecordedEvent): LoggedEvent {
  const properties = recorded.getMetadataMap();
  return {
    position: { commit: BigInt(recorded.getCommitPosition()), prepare: BigInt(recorded.getPreparePosition()) },
    stream: Buffer.from(recorded.getStreamIdentifier()!.getStreamName_asU8()).toString('utf8'),
    revision: BigInt(recorded.getStreamRevision()),
    id: uuidText(recorded.getId()),
    type: properties.get('type') ?? '',
    isJson: properties.get('content-type') === 'application/json',
    data: Buffer.from(recorded.getData_asU8()),
    metadata: Buffer.from(recorded.getCustomMetadata_asU8()),
    createdTicks: BigInt(properties.get('created') ?? '0'),
  };
}

/** Any EventStoreDB, at an `esdb://` address. All appends share one call, which the server works off in order. */
export async function serverTarget(url: string): Promise<Target> {
  const connection = new Connection(url);
  const { client } = connection;
  const failed = (stream: string) => (error: unknown) => {
    throw failureOf(error, { what: `Writing to ${stream}`, stream, changes: true });
  };
  const stream = await connection.call(client, 'import', (service, metadata, options) => service.batchAppend(metadata, options)).catch(failed('the log'));
  const call = new AppendCall(stream, { alone: true, onOver: () => undefined, log: () => undefined });
  return {
    lastRevision: async (name) => {
      try {
        for await (const { event } of client.readStream(name, { direction: BACKWARDS, fromRevision: END, maxCount: 1 })) if (event !== undefined) return event.revision;
        return -1n;
      } catch (error) {
        if (error instanceof StreamNotFoundError) return -1n;
        throw failureOf(error, { what: `Reading ${name}`, stream: name });
      }
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
