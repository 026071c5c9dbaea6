import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';

/** What of an event a test wants to say. */
export interface Recorded {
  id?: string;
  stream?: string;
  revision?: bigint;
  prepare?: bigint;
  commit?: bigint;
  type?: string;
  contentType?: string;
  created?: string;
  metadata?: Uint8Array;
  data?: Uint8Array;
}

/** An answer to a read that holds an event, by the client's own generated classes. */
export function answerWith(event: Recorded, structuredId?: { most: string; least: string }): InstanceType<typeof streams.ReadResp> {
  const id = new shared.UUID();
  if (structuredId) {
    const halves = new shared.UUID.Structured();
    halves.setMostSignificantBits(structuredId.most);
    halves.setLeastSignificantBits(structuredId.least);
    id.setStructured(halves);
  } else id.setString(event.id ?? '00000000-0000-4000-8000-000000000000');
  const identifier = new shared.StreamIdentifier();
  identifier.setStreamName(Buffer.from(event.stream ?? 'counter-a'));
  const recorded = new streams.ReadResp.ReadEvent.RecordedEvent();
  recorded.setId(id);
  recorded.setStreamIdentifier(identifier);
  recorded.setStreamRevision(String(event.revision ?? 0n));
  recorded.setPreparePosition(String(event.prepare ?? 0n));
  recorded.setCommitPosition(String(event.commit ?? 0n));
  recorded.getMetadataMap().set('type', event.type ?? 'CounterRaised').set('content-type', event.contentType ?? 'application/json').set('created', event.created ?? '0');
  recorded.setCustomMetadata(event.metadata ?? Buffer.from('{}'));
  recorded.setData(event.data ?? Buffer.from('{}'));
  const read = new streams.ReadResp.ReadEvent();
  read.setEvent(recorded);
  read.setCommitPosition(String(event.commit ?? 0n));
  const answer = new streams.ReadResp();
  answer.setEvent(read);
  return answer;
}
