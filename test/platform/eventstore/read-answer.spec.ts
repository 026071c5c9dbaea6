import { expect, test } from '@jest/globals';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import fc from 'fast-check';
import { readAnswer } from '../../../src/platform/eventstore/read-answer.js';
import { EventFromLog } from '../../../src/platform/eventstore/stored-event.js';
import { answerWith } from './recorded.js';

const bytesOf = (answer: { serializeBinary(): Uint8Array }): Buffer => Buffer.from(answer.serializeBinary());
const eventIn = (bytes: Buffer): EventFromLog => {
  const answer = readAnswer(bytes);
  if (!(answer instanceof EventFromLog)) throw new Error('no event');
  return answer;
};

const uint64 = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constantFrom(0n, 127n, 128n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 64n - 1n));
const json = fc.json().map((text) => Buffer.from(text));
const recorded = fc.record({
  id: fc.uuid(), stream: fc.string({ unit: 'grapheme', minLength: 1 }), revision: uint64, prepare: uint64, commit: uint64, type: fc.string({ unit: 'grapheme', minLength: 1 }),
  created: fc.integer({ min: 0, max: 4e12 }).map((ms) => `${ms}1234`), data: json, metadata: fc.dictionary(fc.string(), fc.nat()).map((value) => Buffer.from(JSON.stringify(value))),
});

test('an event is what the client encodes', () => {
  fc.assert(
    fc.property(recorded, (event) => {
      const decoded = eventIn(bytesOf(answerWith(event)));
      const { id, stream, revision, type, created } = event;
      expect(decoded).toMatchObject({ id, stream, revision, type, created, isJson: true, position: { commit: event.commit, prepare: event.prepare } });
      expect(decoded.data).toEqual(JSON.parse(event.data.toString()));
      expect(decoded.metadata).toEqual(JSON.parse(event.metadata.toString()));
      expect([decoded.rawData, decoded.rawMetadata, decoded.dataSize]).toEqual([event.data, event.metadata, event.data.length]);
      expect(decoded.recordedAt.getTime()).toBe(Number(created.slice(0, -4)));
    }),
  );
});

test('data that are not JSON come as bytes', () => {
  const data = Buffer.from([0xef, 0xbb, 0xbf, 0, 255]);
  expect(eventIn(bytesOf(answerWith({ data, contentType: 'application/octet-stream' }))).data).toEqual(data);
});

test('a byte order mark before JSON is left out', () => {
  expect(eventIn(bytesOf(answerWith({ data: Buffer.from('\uFEFF{"a":1}') }))).data).toEqual({ a: 1 });
});

test('an id in two halves is the same text', () => {
  expect(eventIn(bytesOf(answerWith({}, { most: '-1', least: '1' }))).id).toBe('ffffffff-ffff-ffff-0000-000000000001');
});

test('what is no event is told apart, and what is not known is passed over', () => {
  const answer = (set: (of: InstanceType<typeof streams.ReadResp>) => void) => {
    const made = new streams.ReadResp();
    set(made);
    return readAnswer(bytesOf(made));
  };
  const checkpoint = new streams.ReadResp.Checkpoint();
  checkpoint.setCommitPosition('18446744073709551615');
  checkpoint.setPreparePosition('7');
  const notFound = new streams.ReadResp.StreamNotFound();
  notFound.setStreamIdentifier(new shared.StreamIdentifier());
  const confirmation = new streams.ReadResp.SubscriptionConfirmation();
  confirmation.setSubscriptionId('1');
  expect(answer((of) => of.setCheckpoint(checkpoint))).toEqual({ checkpoint: { commit: 2n ** 64n - 1n, prepare: 7n } });
  expect(answer((of) => of.setCaughtUp(new streams.ReadResp.CaughtUp()))).toBe('caught up');
  expect(answer((of) => of.setStreamNotFound(notFound))).toBe('stream not found');
  expect(answer((of) => of.setConfirmation(confirmation))).toBeUndefined();
  expect(answer((of) => of.setFirstStreamPosition('3'))).toBeUndefined();
  const unknown = Buffer.from([0xa0, 0x06, 0x05]);
  expect(readAnswer(unknown)).toBeUndefined();
  expect(eventIn(Buffer.concat([unknown, bytesOf(answerWith({ type: 'A' }))])).type).toBe('A');
});

test('a link whose event is gone is no event', () => {
  const answer = answerWith({});
  answer.getEvent()!.setLink(answer.getEvent()!.getEvent());
  answer.getEvent()!.clearEvent();
  expect(readAnswer(bytesOf(answer))).toBeUndefined();
});

test('an event of no stream is refused', () => {
  const answer = answerWith({});
  answer.getEvent()!.getEvent()!.clearStreamIdentifier();
  expect(() => readAnswer(bytesOf(answer))).toThrow(RangeError);
});

test('bytes that were cut off or garbled are refused or read as something, and never read beyond their end', () => {
  const whole = bytesOf(answerWith({ stream: 'a', data: Buffer.from('{"a":1}') }));
  for (let length = 1; length < whole.length; length++) expect(() => readAnswer(whole.subarray(0, length))).toThrow(RangeError);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
      try {
        readAnswer(Buffer.from(bytes));
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
  );
});
