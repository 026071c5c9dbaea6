import { expect, test } from '@jest/globals';
import { Transform } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { EventFlow, type ClientStream } from '../../../src/platform/eventstore/flow.js';
import { readAnswer } from '../../../src/platform/eventstore/read-answer.js';
import { answerWith } from './recorded.js';

const event = readAnswer(Buffer.from(answerWith({}).serializeBinary()));

/** A call of the client that brings events in, the options of a flow that takes them, and how many it has looked at. */
function call() {
  let taken = 0;
  const stream = Object.assign(new Transform({ objectMode: true }), { cancel: async () => {} });
  const wanted = () => {
    taken++;
    return true;
  };
  return {
    stream: stream as unknown as ClientStream,
    options: { wanted, maxEvents: 100, signal: new AbortController().signal, onCancelFailure: () => undefined },
    bring: (events: number) => {
      for (let n = 0; n < events; n++) stream.write(event);
    },
    taken: () => taken,
  };
}

const someTurns = async () => {
  for (let turn = 0; turn < 5; turn++) await nextTurn();
};

test('a flow on demand takes nothing in while its reader is busy, and all of it when it is asked', async () => {
  const { stream, options, bring, taken } = call();
  const flow = new EventFlow(stream, { ...options, onDemand: true });
  bring(50);
  await someTurns();
  expect(taken()).toBe(0);
  expect(await flow.next(undefined)).toMatchObject({ count: 50 });
  expect(taken()).toBe(50);
  bring(7);
  await someTurns();
  expect(taken()).toBe(50);
  await flow.next(undefined);
  expect(taken()).toBe(57);
  flow.cancel();
});

test('any other flow reads ahead', async () => {
  const { stream, options, bring, taken } = call();
  const flow = new EventFlow(stream, options);
  bring(50);
  await someTurns();
  expect(taken()).toBe(50);
  flow.cancel();
});
