import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, EventStoreTimeout, EventStoreUnavailable, startOfLog, WrongExpectedRevision, type Batch, type EventStore, type NewEvent, type StoredEvent } from '../../../src/platform/eventstore/index.js';
import { patience_ms, until } from '../../support/until.js';
import { caughtUp, checkpoint, confirmation, eventMessage, FakeServer, type ReadCall } from './fake-server.js';

let server: FakeServer;
let store: EventStore;
let heard: string[];

beforeEach(async () => {
  server = await new FakeServer().start();
  heard = [];
  store = connect(server.url, { log: (message) => heard.push(message) });
});

afterEach(async () => {
  await store.close();
  server.stop();
});

describe('a server that accepts everything and never answers', () => {
  test('does not hang an append, whose outcome is then unknown', async () => {
    // It leaves at once where the way is open already.
    await store.append('s-0', [anEvent()], { expected: 'none' });
    server.faults.onAppend = () => undefined;
    const appended = store.append('s-1', [anEvent()], { expected: 'none', deadlineMs: 500 });
    await expect(appended).rejects.toThrow(EventStoreTimeout);
    await expect(appended).rejects.toMatchObject({ outcomeUnknown: true });
  });

  test('does not hang a read, the search for the end of the log, or a health check', async () => {
    server.faults.onRead = () => undefined;
    await expect(all(store.readStream('s-1', { deadlineMs: 150 }))).rejects.toThrow(EventStoreTimeout);
    await expect(all(store.readLog({ deadlineMs: 150 }))).rejects.toThrow(EventStoreTimeout);
    await expect(store.endOfLog({ deadlineMs: 150 })).rejects.toThrow(EventStoreTimeout);
    await expect(store.health({ deadlineMs: 150 })).rejects.toThrow(EventStoreTimeout);
  });

  test('does not hang the close of the connection', async () => {
    server.faults.onAppend = () => undefined;
    server.faults.onRead = () => undefined;
    const pending = Promise.allSettled([store.append('s-1', [anEvent()], { expected: 'none' }), all(store.readStream('s-1'))]);
    await until('the server has both calls', () => server.appendCalls.size === 1 && server.readCalls.size === 1);
    await store.close();
    for (const call of await pending) expect(call).toMatchObject({ status: 'rejected', reason: { name: 'EventStoreUnavailable' } });
  });

  test('is left for a new call as soon as it answers again', async () => {
    server.faults.onAppend = () => undefined;
    await expect(store.append('s-1', [anEvent()], { expected: 'none', deadlineMs: 100 })).rejects.toThrow(EventStoreTimeout);
    server.faults = {};
    await expect(store.append('s-1', [anEvent()], { expected: 'none' })).resolves.toMatchObject({ revision: 0n });
  });
});

describe('a call for appends that breaks with several of them waiting', () => {
  test('loses none and doubles none: those with an exact revision are sent again, the others say that nobody knows', async () => {
    let received = 0;
    server.faults.onAppend = (request, call, answer) => {
      received++;
      const unanswered = answer();
      if (received === 6) call.emit('error', grpcError(status.UNAVAILABLE));
      if (received > 6) call.write(unanswered);
    };
    const exact = Promise.all([1, 2, 3, 4].map((n) => store.append(`exact-${n}`, [anEvent()], { expected: 'none' })));
    const any = [1, 2].map((n) => store.append(`any-${n}`, [anEvent()], { expected: 'any' }).catch((error: unknown) => error));
    for (const result of await exact) expect(result).toMatchObject({ revision: 0n });
    for (const append of any) expect(await append).toMatchObject({ name: 'EventStoreUnavailable', outcomeUnknown: true });
    for (const n of [1, 2, 3, 4]) expect(server.ofStream(`exact-${n}`)).toHaveLength(1);
    for (const n of [1, 2]) expect(server.ofStream(`any-${n}`)).toHaveLength(1);
  });

  test('does not touch the appends of another connection in the same process', async () => {
    const other = await new FakeServer().start();
    const otherStore = connect(other.url);
    const answers: (() => void)[] = [];
    other.faults.onAppend = (_, call, answer) => answers.push(() => call.write(answer()));
    server.faults.onAppend = (_, call) => call.emit('error', grpcError(status.UNAVAILABLE));
    const kept = otherStore.append('s-1', [anEvent()], { expected: 'any' });
    await until('the append has arrived', () => answers.length === 1);
    await expect(store.append('s-1', [anEvent()], { expected: 'any' })).rejects.toThrow(EventStoreUnavailable);
    answers[0]!();
    await expect(kept).resolves.toMatchObject({ revision: 0n });
    await otherStore.close();
    other.stop();
  });

  test('does not let one append that breaks every call take the others with it', async () => {
    let poisoned = false;
    server.faults.onAppend = (request, call, answer) => {
      const type = request.getProposedMessagesList()[0]!.getMetadataMap().get('type');
      if (type === 'poison') call.emit('error', grpcError(status.INVALID_ARGUMENT));
      else if (poisoned) call.write(answer());
      poisoned ||= type === 'poison';
    };
    const good = [1, 2, 3].map((n) => store.append(`good-${n}`, [anEvent()], { expected: 'none' }));
    const bad = store.append('bad-1', [anEvent('poison')], { expected: 'none' });
    const results = await Promise.allSettled([...good, bad]);
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected']);
    await expect(bad).rejects.toMatchObject({ name: 'EventStoreRefused' });
  });

  test('may also be ended politely by the server, without an answer', async () => {
    let calls = 0;
    server.faults.onAppend = (_, call, answer) => {
      if (++calls === 1) call.end();
      else call.write(answer());
    };
    await expect(store.append('s-1', [anEvent()], { expected: 'none' })).resolves.toMatchObject({ revision: 0n });
  });
});

describe('an answer that comes too late', () => {
  test('does not end the process, and the next append gets its own', async () => {
    const late: (() => void)[] = [];
    server.faults.onAppend = (_, call, answer) => {
      const response = answer();
      late.push(() => call.write(response));
    };
    const first = store.append('s-1', [anEvent()], { expected: 'none', deadlineMs: patience_ms });
    await until('the append has arrived', () => late.length === 1);
    const hasty = store.append('s-2', [anEvent()], { expected: 'none', deadlineMs: 50 });
    await expect(hasty).rejects.toMatchObject({ name: 'EventStoreTimeout', outcomeUnknown: true });
    server.faults = {};
    await expect(store.append('s-3', [anEvent()], { expected: 'none' })).resolves.toMatchObject({ revision: 0n });
    await expect(first).resolves.toMatchObject({ revision: 0n });
  });

  test('is only noted when nobody waits for it any more', async () => {
    server.faults.onAppend = (_, call, answer) => {
      const response = answer();
      call.write(response);
      call.write(response);
    };
    await store.append('s-1', [anEvent()], { expected: 'none' });
    await until('the log tells of it', () => heard.includes('The event store answered an append that nobody waits for'));
  });

  test('counts as written when the server no longer recognises what it wrote', async () => {
    let calls = 0;
    server.faults.onAppend = (request, call, answer) => {
      if (++calls > 1) request.getOptions()!.setStreamPosition('41');
      const response = answer();
      if (calls === 1) call.emit('error', grpcError(status.UNAVAILABLE));
      else call.write(response);
    };
    await expect(store.append('s-1', [anEvent()], { expected: 'none' })).resolves.toMatchObject({ revision: 0n });
  });

  test('still counts as a conflict when the events there are another writer’s', async () => {
    let calls = 0;
    server.faults.onAppend = (_, call, answer) => {
      if (++calls > 1) return call.write(answer());
      server.write('s-1', randomUUID(), 'theirs', Buffer.from('{}'));
      call.emit('error', grpcError(status.UNAVAILABLE));
    };
    await expect(store.append('s-1', [anEvent()], { expected: 'none' })).rejects.toThrow(WrongExpectedRevision);
  });
});

describe('a message that makes no sense', () => {
  test('fails the read it came to, and not the process', async () => {
    fill(1);
    await store.health();
    server.faults.onRead = (call) => {
      const nonsense = eventMessage(server.events[0]!);
      nonsense.getEvent()!.getEvent()!.clearStreamIdentifier();
      call.write(nonsense);
    };
    await expect(all(store.readStream('s-1', { deadlineMs: 2_000 }))).rejects.toThrow(EventStoreUnavailable);
  });

  test('fails the append it answers, whose outcome is then unknown', async () => {
    server.faults.onAppend = (_, call, answer) => {
      const nonsense = answer();
      nonsense.clearSuccess();
      call.write(nonsense);
    };
    await expect(store.append('s-1', [anEvent()], { expected: 'any' })).rejects.toMatchObject({ name: 'EventStoreUnavailable', outcomeUnknown: true });
  });

  test('in the name of the caller is refused at once', async () => {
    await expect(all(store.readStream('s-1', { from: -1n }))).rejects.toMatchObject({ name: 'EventStoreRefused' });
  });
});

describe('a server that is not there', () => {
  test('is reported as such, with nothing written', async () => {
    server.stop();
    await expect(store.health()).rejects.toThrow(EventStoreUnavailable);
    // Until the connection is known to be gone, an append may have left on it.
    await until('nothing leaves any more', () =>
      store.append('s-1', [anEvent()], { expected: 'any', deadlineMs: 2_000 }).then(
        () => false,
        ({ name, outcomeUnknown }) => name === 'EventStoreUnavailable' && outcomeUnknown === false,
      ),
    );
    await expect(all(store.readStream('s-1', { deadlineMs: 2_000 }))).rejects.toThrow(EventStoreUnavailable);
    await expect(store.deleteStream('s-1')).rejects.toMatchObject({ name: 'EventStoreUnavailable', outcomeUnknown: false });
  });

  test('is waited for by appends, reads and subscriptions, which go on when it is back', async () => {
    server.write('s-1', randomUUID(), 'first', Buffer.from('{}'));
    const seen: Batch[] = [];
    const stop = new AbortController();
    const following = follow(store, stop.signal, seen);
    await until('the subscription is live', () => seen.some((batch) => batch.live));
    server.stop();
    const append = store.append('s-2', [anEvent()], { expected: 'none', deadlineMs: patience_ms });
    const read = all(store.readStream('s-1', { deadlineMs: patience_ms }));
    await until('it has been missed several times', () => heard.filter((line) => line.startsWith('The subscription')).length >= 6);
    await server.start();
    await expect(append).resolves.toMatchObject({ revision: 0n });
    expect(await read).toHaveLength(1);
    server.write('s-1', randomUUID(), 'second', Buffer.from('{}'));
    server.stop();
    await server.start();
    await until('all events have come', () => seen.flatMap((batch) => batch.events).length === 3);
    expect(seen.flatMap((batch) => batch.events).map((event) => event.stream)).toEqual(['s-1', 's-2', 's-1']);
    stop.abort();
    await following;
  });
});

describe('a connection that is lost in the middle', () => {
  test.each(['forwards', 'backwards'] as const)('leaves a read %s whole: each event once, in order', async (direction) => {
    fill(900);
    const breaks = [250, 300, 10];
    server.faults.onRead = (call, answer) => {
      const after = breaks.shift();
      if (after === undefined) return answer();
      for (const event of server.asked(call.request).slice(0, after)) call.write(eventMessage(event));
      setTimeout(() => call.emit('error', grpcError(status.UNAVAILABLE)), 20);
    };
    const expected = [...server.events];
    if (direction === 'backwards') expected.reverse();
    const ofStream = await all(store.readStream('s-1', { direction, limit: 800 }));
    expect(ofStream.map((event) => event.id)).toEqual(expected.slice(0, 800).map((event) => event.id));
    breaks.push(100, 100);
    const ofLog = await all(store.readLog({ direction, limit: 700 }));
    expect(ofLog.map((event) => event.id)).toEqual(expected.slice(0, 700).map((event) => event.id));
  });

  test('leaves a subscription whole: each event once, in order, even if the server repeats one', async () => {
    fill(500);
    let calls = 0;
    server.faults.onRead = (call, answer) => {
      if (++calls > 5) return answer();
      call.write(confirmation());
      const next = server.asked(call.request)[0]!.revision;
      for (const event of server.events.slice(Math.max(0, next - 1), next + 70)) call.write(eventMessage(event));
      setTimeout(() => call.emit('error', grpcError(calls % 2 === 0 ? status.UNAVAILABLE : status.CANCELLED)), 10);
    };
    const seen: Batch[] = [];
    const stop = new AbortController();
    const following = follow(store, stop.signal, seen);
    await until('the subscription is live', () => seen.some((batch) => batch.live));
    expect(seen.flatMap((batch) => batch.events).map((event) => event.id)).toEqual(server.events.map((event) => event.id));
    stop.abort();
    await following;
  });
});

describe('a subscription', () => {
  test('moves its position on the server’s checkpoints while nothing matches', async () => {
    server.faults.onRead = (call) => {
      call.write(confirmation());
      call.write(checkpoint(12_800));
      call.write(caughtUp());
    };
    const seen: Batch[] = [];
    const stop = new AbortController();
    const following = follow(store, stop.signal, seen);
    await until('the position has moved', () => seen.at(-1)?.position.commit === 12_800n && seen.at(-1)!.live);
    stop.abort();
    await following;
  });

  test('asks no more of the server while its reader is behind', async () => {
    fill(20_000);
    let written = 0;
    server.faults.onRead = (call) => void writePatiently(call, () => written++);
    const stop = new AbortController();
    const batches = store.subscribe({ from: startOfLog, signal: stop.signal, maxBuffer: 100 })[Symbol.asyncIterator]();
    await batches.next();
    await until('the server has stopped writing', quiet(() => written));
    expect(written).toBeLessThan(10_000);
    let events = 0;
    while (events < 19_000) events += ((await batches.next()).value as Batch).events.length;
    stop.abort();
    expect((await batches.next()).done).toBe(true);
  });

  test('that its reader leaves is ended on the server too', async () => {
    for await (const batch of store.subscribe({ from: startOfLog, signal: new AbortController().signal })) {
      if (batch.live) break;
    }
    await until('the server knows', () => server.cancelledReads === 1);
  });
});

describe('a read', () => {
  test('that its reader leaves early is ended on the server too', async () => {
    fill(50_000);
    server.faults.onRead = (call) => void writePatiently(call, () => undefined);
    for await (const _ of store.readStream('s-1')) break;
    await until('the server knows', () => server.cancelledReads === 1);
  });

  test('that is aborted does not pass for a complete one', async () => {
    fill(10);
    server.faults.onRead = (call) => call.write(eventMessage(server.events[0]!));
    const stop = new AbortController();
    const reading = all(store.readStream('s-1', { signal: stop.signal }));
    await until('the read has begun', () => server.readCalls.size === 1);
    stop.abort(new Error('the user left'));
    await expect(reading).rejects.toThrow('the user left');
  });
});

function anEvent(type = 'Happened'): NewEvent {
  return { id: randomUUID(), type, data: { n: 1 }, metadata: {} };
}

function fill(count: number): void {
  for (let n = 0; n < count; n++) {
    server.events.push({ id: randomUUID(), stream: 's-1', revision: n, position: (n + 1) * 100, type: 'Happened', data: Buffer.from(`{"n":${n}}`) });
  }
}

async function all(events: AsyncIterable<StoredEvent>): Promise<StoredEvent[]> {
  const found: StoredEvent[] = [];
  for await (const event of events) found.push(event);
  return found;
}

async function follow(store: EventStore, signal: AbortSignal, seen: Batch[]): Promise<void> {
  for await (const batch of store.subscribe({ from: startOfLog, signal })) seen.push(batch);
}

async function writePatiently(call: ReadCall, onWrite: () => void): Promise<void> {
  const gone = once(call, 'cancelled');
  for (const event of server.asked(call.request)) {
    if (call.cancelled) return;
    onWrite();
    if (!call.write(eventMessage(event))) await Promise.race([once(call, 'drain'), gone]);
  }
}

/** Whether a number has been the same in many looks one after the other. */
function quiet(value: () => number): () => boolean {
  let [before, looks] = [-1, 0];
  return () => {
    looks = value() === before ? looks + 1 : 0;
    before = value();
    return looks >= 25;
  };
}

function grpcError(code: status): Error {
  return Object.assign(new Error('a fault of the test'), { code });
}
