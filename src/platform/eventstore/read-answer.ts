import type { Position } from './position.js';
import { ProtoReader } from './protobuf.js';
import { recordedEvent, type EventFromLog } from './stored-event.js';

/** What a server says in a read or a subscription, as far as the port wants to know. */
export type ReadAnswer = EventFromLog | { readonly checkpoint: Position } | 'caught up' | 'stream not found' | undefined;

/**
 * Decodes a ReadResp of EventStoreDB's `streams.proto`. The client's generated classes make some twenty objects of an
 * event and copy its bytes several times, which costs more than most readers do with it. Throws RangeError on bytes that
 * are no such message, with which gRPC ends the call.
 */
export function readAnswer(bytes: Buffer): ReadAnswer {
  const reader = new ProtoReader(bytes);
  let answer: ReadAnswer;
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        answer = eventOf(reader.message());
        break;
      case 3:
        answer = { checkpoint: positionOf(reader.message()) };
        break;
      case 4:
        answer = 'stream not found';
        reader.skip();
        break;
      case 8:
        answer = 'caught up';
        reader.skip();
        break;
      default:
        reader.skip();
    }
  }
  return answer;
}

/** The event of a ReadEvent: where a link was followed, what it leads to, and nothing where that is gone. */
function eventOf(reader: ProtoReader): EventFromLog | undefined {
  let event: EventFromLog | undefined;
  while (reader.next()) {
    if (reader.field === 1) event = recordedEvent(reader.message());
    else reader.skip();
  }
  return event;
}

function positionOf(reader: ProtoReader): Position {
  let [commit, prepare] = [0n, 0n];
  while (reader.next()) {
    if (reader.field === 1) commit = reader.unsigned();
    else if (reader.field === 2) prepare = reader.unsigned();
    else reader.skip();
  }
  return { commit, prepare };
}
