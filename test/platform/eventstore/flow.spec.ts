import { expect, test } from '@jest/globals';
import { Transform } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { EventFlow, type ClientStream } from '../../../src/platform/eventstore/flow.js';

/** A call of the client that brings messages in, and counts those that are looked at. */
function call() {
  let taken = 0;
  const message = () => ({ getEvent: () => void taken++, hasCheckpoint: () => false, hasCaughtUp: () => true, hasStreamNotFound: () => false });
  const stream = Object.assign(new Transform({ objectMode: true }), { cancel: async () => {} });
  return {
    stream: stream as unknown as ClientStream,
    bring: (messages: number) => {
      for (let n = 0; n < messages; n++) stream.write(message());
    },
    taken: () => taken,
  };
}

const options = { wanted: () => true, maxEvents: 100, signal: new AbortController().signal, onCancelFailure: () => undefined };
const someTurns = async () => {
  for (let turn = 0; turn < 5; turn++) await nextTurn();
};

test('a flow on demand takes nothing in while its reader is busy, and all of it when it is asked', async () => {
  const { stream, bring, taken } = call();
  const flow = new EventFlow(stream, { ...options, onDemand: true });
  bring(50);
  await someTurns();
  expect(taken()).toBe(0);
  expect(await flow.next(undefined)).toMatchObject({ caughtUp: true });
  expect(taken()).toBe(50);
  bring(7);
  await someTurns();
  expect(taken()).toBe(50);
  await flow.next(undefined);
  expect(taken()).toBe(57);
  flow.cancel();
});

test('any other flow reads ahead', async () => {
  const { stream, bring, taken } = call();
  const flow = new EventFlow(stream, options);
  bring(50);
  await someTurns();
  expect(taken()).toBe(50);
  flow.cancel();
});
