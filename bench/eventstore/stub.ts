import http2, { type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { FRAME_HEADER, frame } from '../../src/platform/eventstore/embedded/wire/framed.js';
import { ProtoReader, bytesField, message, stringField } from '../../src/platform/eventstore/protobuf.js';
import { createdEntry, encodeRecordedEvent, NO_BYTES } from '../../src/platform/eventstore/embedded/wire/recorded-event.js';
import { batchSuccess } from '../../src/platform/eventstore/embedded/wire/replies.js';
import { optionsOf } from '../../src/platform/eventstore/embedded/wire/requests.js';

/*
 * The limit that the event store is measured against: a server that does nothing. It answers
 * every append at once and sends the same ready-made events again and again, over bare HTTP/2.
 * Whatever the client does not reach against it, it cannot reach against any server.
 */

const HEADERS = { ':status': 200, 'content-type': 'application/grpc+proto', 'grpc-encoding': 'identity' };
const EVENTS_A_CHUNK = 128;

function respond(stream: ServerHttp2Stream): void {
  stream.respond(HEADERS, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.on('error', () => stream.destroy());
}

/** Calls back with each gRPC message of a request. */
function onMessages(stream: ServerHttp2Stream, take: (bytes: Buffer) => void): void {
  let rest: Buffer = NO_BYTES;
  stream.on('data', (data: Buffer) => {
    let bytes = rest.length === 0 ? data : Buffer.concat([rest, data]);
    while (bytes.length >= FRAME_HEADER && bytes.length >= FRAME_HEADER + bytes.readUInt32BE(1)) {
      const end = FRAME_HEADER + bytes.readUInt32BE(1);
      take(bytes.subarray(FRAME_HEADER, end));
      bytes = bytes.subarray(end);
    }
    rest = bytes;
  });
}

function listMethods(stream: ServerHttp2Stream): void {
  const batchAppend = message(stringField(1, 'batchappend'), stringField(2, 'event_store.client.streams.streams'));
  stream.resume().on('end', () => stream.end(frame(message(bytesField(1, batchAppend), stringField(2, 'stub')))));
}

function acknowledge(stream: ServerHttp2Stream): void {
  let position = 0;
  let answers: Buffer[] = [];
  onMessages(stream, (bytes) => {
    const reader = new ProtoReader(bytes);
    let correlation = NO_BYTES;
    let isFinal = false;
    while (reader.next()) {
      if (reader.field === 1) correlation = Buffer.from(reader.slice());
      else if (reader.field === 4) isFinal = reader.bool();
      else reader.skip();
    }
    if (!isFinal) return;
    if (answers.length === 0) {
      setImmediate(() => {
        stream.write(Buffer.concat(answers));
        answers = [];
      });
    }
    answers.push(batchSuccess(correlation, 's', { revision: ++position, position }));
  });
}

function sendEvents(stream: ServerHttp2Stream): void {
  const chunk = readyMade(EVENTS_A_CHUNK);
  onMessages(stream, (bytes) => {
    const options = optionsOf(bytes);
    let left = 0;
    while (options?.next()) {
      if (options.field === 5) left = options.varint();
      else options.skip();
    }
    const send = () => {
      while (left > 0) {
        left -= EVENTS_A_CHUNK;
        if (!stream.write(chunk)) return void stream.once('drain', send);
      }
      stream.end();
    };
    send();
  });
}

/** Framed replies like those of the event store. */
function readyMade(events: number): Buffer {
  const target = Buffer.alloc(events * 1024);
  const event = { id: '6f2e7f57-5a6c-4a5e-9a53-0d9b3a3f7a10', type: Buffer.from('Written'), isJson: true, metadata: NO_BYTES, data: Buffer.from(JSON.stringify({ fill: 'x'.repeat(289) })) };
  let at = 0;
  for (let i = 0; i < events; i++) at = encodeRecordedEvent(target, at, event, Buffer.from('bench-1'), 100_000 + i, 100_000 + i, createdEntry(Date.now())).end;
  return target.subarray(0, at);
}

const server = http2.createServer();
server.on('stream', (stream, headers) => {
  respond(stream);
  const path = String(headers[':path']);
  if (path.endsWith('/GetSupportedMethods')) listMethods(stream);
  else if (path.endsWith('/BatchAppend')) acknowledge(stream);
  else sendEvents(stream);
});
server.listen(0, '127.0.0.1', () => process.send?.({ ready: true, port: (server.address() as AddressInfo).port }));
process.once('disconnect', () => process.exit(0));
