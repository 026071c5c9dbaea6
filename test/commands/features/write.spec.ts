import { beforeEach, describe, expect, test } from '@jest/globals';
import { Expectations } from '../../../src/commands/features/expectations.js';
import { FeatureGroups } from '../../../src/commands/features/groups.js';
import type { WriteRequest } from '../../../src/commands/features/incoming.js';
import { RowLog } from '../../../src/commands/features/row-log.js';
import { rowsFromMaps } from '../../../src/commands/features/row-wise.js';
import type { RefusedRow } from '../../../src/commands/features/quarantine/refused-row.js';
import { FeatureWriter } from '../../../src/commands/features/write.js';
import { Aggregates } from '../../../src/commands/kit/aggregates.js';
import type { RequestContext } from '../../../src/commands/kit/command.js';
import { RememberingCommandLog } from '../../../src/commands/kit/idempotency.js';
import { decodeChunk } from '../../../src/domain/features/chunk.js';
import { featureGroupStream, featureMonitoringStream } from '../../../src/domain/features/streams.js';
import { Refusal } from '../../../src/domain/kit/index.js';
import { EventStoreTimeout } from '../../../src/platform/eventstore/errors.js';
import { breachesIn } from '../../../src/domain/features/monitoring/breaches/breach.js';
import { expectation } from '../../../src/domain/features/monitoring/expectations.js';
import { memoryLog, type MemoryLog } from './memory-log.js';

const definition = {
  project: 'p', group: 'g', version: 1, entities: [{ name: 'id', type: 'STRING' }], features: [{ name: 'x', type: 'DOUBLE', description: '', constraints: { min: 0 } }],
  ttlSeconds: 0, partitions: 2, owner: '', description: '', tags: {},
};
const owner: RequestContext = { caller: { actor: 'key:owner', may: () => true } };
const keyed = (idempotencyKey: string): RequestContext => ({ ...owner, idempotencyKey });

let log: MemoryLog;
let writer: FeatureWriter;
let kept: RefusedRow[] = [];
let keepFault: Error | undefined;
let projectRefusal: Refusal | undefined;
/** The breaches that were told, and how many events of rows the log held then. */
let told: { breach: string; chunks: number }[] = [];
let tellFault: Error | undefined;
/** What the log of the process hears of those that could not be told. */
let untold: [breach: string, reason: string][] = [];

/** Another process: its caches are empty, the log is the same. */
const anotherWriter = () =>
  new FeatureWriter(
    new FeatureGroups(new Aggregates(log as never), async () => {
      if (projectRefusal) throw projectRefusal;
    }),
    new RowLog(log as never),
    new RememberingCommandLog({
      find: async (commandId) => {
        const event = log.events.findLast(({ metadata }) => metadata['commandId'] === commandId && metadata['bodyHash'] !== undefined);
        return event && { bodyHash: event.metadata['bodyHash'] as string, position: `${event.position.commit}`, revision: event.revision };
      },
    }),
    {
      keep: async (rows) => {
        if (keepFault) throw keepFault;
        kept.push(...rows);
      },
    },
    undefined,
    new Expectations(new Aggregates(log as never), async ({ breach }) => {
      if (tellFault) throw tellFault;
      if (!told.some((one) => one.breach === breach)) told.push({ breach, chunks: chunks().length });
    }, Date.now, ({ breach }, error) => untold.push([breach, (error as Error).message])),
  );

const define = (type: string, data: object) => log.append(featureGroupStream('p', 'g'), [{ id: crypto.randomUUID(), type, data, metadata: { version: 1 } }], { expected: 'any' });
const write = (values: Record<string, unknown>, more: Partial<WriteRequest> = {}): WriteRequest => ({
  project: 'p', group: 'g', mode: 'BOTH', partial: false, ...more,
  rows: rowsFromMaps(Object.entries(values).map(([id, x]) => ({ keys: new Map([['id', id]]), timeUs: 1e15, values: new Map([['x', x]]) }))),
});
const chunks = () => log.events.filter(({ type }) => type === 'FeatureRowsWritten');
const refusalOf = (attempt: Promise<unknown>): Promise<Refusal> => attempt.then(() => { throw new Error('It was not refused'); }, (error) => error);
const manyRows = Object.fromEntries(Array.from({ length: 50 }, (_, id) => [`k${id}`, id]));

beforeEach(async () => {
  log = memoryLog();
  projectRefusal = undefined;
  kept = [];
  keepFault = undefined;
  told = [];
  tellFault = undefined;
  untold = [];
  writer = anotherWriter();
  await define('FeatureGroupCreated', definition);
});

describe('a write', () => {
  test('stores its rows among the partitions of the group, and says who wrote them', async () => {
    const reply = await writer.write(write(manyRows), { ...owner, correlationId: 'c', traceparent: 't' });
    expect(reply).toMatchObject({ rowsWritten: 50, rowsRejected: 0, faults: [], position: `${log.events.length}` });
    expect(chunks().map(({ stream }) => stream).sort()).toEqual(['features-p.g.0', 'features-p.g.1']);
    expect(chunks().reduce((rows, { data }) => rows + decodeChunk(data).rows, 0)).toBe(50);
    for (const { metadata } of chunks()) expect(metadata).toMatchObject({ commandId: reply.commandId, correlationId: 'c', actor: 'key:owner', project: 'p', traceparent: 't', version: 1 });
  });

  test('of a single row is a chunk of one', async () => {
    await writer.write(write({ a: 1 }), owner);
    expect(chunks()).toHaveLength(1);
    expect(decodeChunk(chunks()[0]!.data)).toMatchObject({ rows: 1, keys: ['["a"]'] });
  });

  test('with one bad row stores nothing and names it', async () => {
    const refusal = await refusalOf(writer.write(write({ a: 1, b: -1 }), owner));
    expect(refusal.code).toBe('INVALID_ARGUMENT');
    expect(refusal.message).toBe('1 of 2 rows cannot be stored, so none was; rows[1].values.x is less than 0');
    expect(refusal.details.fields).toEqual([{ field: 'rows[1].values.x', description: 'is less than 0' }]);
    expect(chunks()).toEqual([]);
  });

  test('of the good rows alone stores them, and counts and names the others', async () => {
    const reply = await writer.write(write({ a: 1, b: -1, c: 3 }, { partial: true }), owner);
    expect(reply).toMatchObject({ rowsWritten: 2, rowsRejected: 1, faults: [{ row: 1, field: 'values.x' }] });
    expect(chunks().flatMap(({ data }) => decodeChunk(data).keys).sort()).toEqual(['["a"]', '["c"]']);
  });

  test('keeps the bad rows for mending where that is asked for, once however often it is repeated', async () => {
    const request = write({ a: 1, b: -1 }, { quarantine: true });
    expect(await writer.write(request, keyed('k'))).toMatchObject({ rowsWritten: 1, rowsRejected: 1, rowsQuarantined: 1 });
    expect(kept).toMatchObject([{ project: 'p', group: 'g', mode: 'BOTH', row: { entity: { id: 'b' }, values: { x: -1 } }, faults: [{ field: 'values.x', description: 'is less than 0' }] }]);
    expect(await writer.write(request, keyed('k'))).toMatchObject({ rowsQuarantined: 1 });
    expect(await anotherWriter().write(request, keyed('k'))).toMatchObject({ rowsQuarantined: 1 });
    expect(kept).toHaveLength(1);
  });

  test('stores nothing when the bad rows cannot be kept', async () => {
    keepFault = new Error('full');
    await expect(writer.write(write({ a: 1, b: -1 }, { quarantine: true }), owner)).rejects.toThrow('full');
    expect(chunks()).toEqual([]);
  });

  test('without any good row stores nothing and has no position', async () => {
    expect(await writer.write(write({ a: -1 }, { partial: true }), owner)).toMatchObject({ rowsWritten: 0, position: '' });
    expect(await writer.write(write({ a: -1 }, { partial: true }), keyed('k'))).toMatchObject({ rowsWritten: 0, position: '' });
    expect(chunks()).toEqual([]);
  });

  test('without rows, to an absent group, or without permission is refused', async () => {
    expect(await refusalOf(writer.write(write({}), owner))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await refusalOf(writer.write(write({ a: 1 }, { group: 'other' }), owner))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await refusalOf(writer.write(write({ a: 1 }), { caller: { actor: 'key:reader', may: () => false } }))).toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  test('to an archived group or project is refused', async () => {
    projectRefusal = new Refusal('FAILED_PRECONDITION', 'Project p is archived');
    expect(await refusalOf(writer.write(write({ a: 1 }), owner))).toBe(projectRefusal);
    projectRefusal = undefined;
    await define('FeatureGroupArchived', { project: 'p', group: 'g', reason: 'old' });
    expect(await refusalOf(writer.write(write({ a: 1 }), owner))).toMatchObject({ code: 'FAILED_PRECONDITION' });
  });

  test('of a feature that another process has just registered is taken', async () => {
    await writer.write(write({ a: 1 }), owner);
    await define('FeatureRegistered', { project: 'p', group: 'g', feature: { name: 'y', type: 'BOOL', description: '', constraints: {} } });
    const rows = rowsFromMaps([{ keys: new Map([['id', 'a']]), timeUs: 1e15, values: new Map([['y', true]]) }]);
    expect(await writer.write({ ...write({}), rows }, owner)).toMatchObject({ rowsWritten: 1 });
  });
});

describe('a write under an idempotency key', () => {
  test('takes effect once, in whichever process it is repeated', async () => {
    const first = await writer.write(write(manyRows), keyed('k'));
    const stored = log.events.length;
    for (const again of [writer, anotherWriter()]) expect(await again.write(write(manyRows), keyed('k'))).toEqual(first);
    expect(log.events).toHaveLength(stored);
  });

  test('takes effect once when it is sent twice at the same moment', async () => {
    const replies = await Promise.all([writer.write(write(manyRows), keyed('k')), writer.write(write(manyRows), keyed('k'))]);
    expect(replies[1]).toEqual(replies[0]);
    expect(chunks()).toHaveLength(2);
  });

  test('with other rows is refused', async () => {
    await writer.write(write({ a: 1 }), keyed('k'));
    expect(await refusalOf(writer.write(write({ a: 2 }), keyed('k')))).toMatchObject({ code: 'FAILED_PRECONDITION', details: { reason: 'IDEMPOTENCY_KEY_REUSED' } });
  });

  test('is not taken for done when one partition is missing', async () => {
    let broken = true;
    log.before = async (stream) => {
      if (broken && stream.endsWith('.1')) throw new Error('The disk is full');
    };
    await expect(writer.write(write(manyRows), keyed('k'))).rejects.toThrow('The disk is full');
    broken = false;
    await anotherWriter().write(write(manyRows), keyed('k'));
    expect(chunks().map(({ stream }) => stream).sort()).toEqual(['features-p.g.0', 'features-p.g.1']);
  });

  test('that a killed process left half written is completed among other writes, and nothing is there twice', async () => {
    log.before = async (stream) => {
      if (stream.endsWith('.1')) throw new Error('The process was killed');
    };
    await Promise.allSettled([1, 2, 3].map((x) => writer.write(write({ ...manyRows, x }), keyed(`k${x}`))));
    log.before = async () => {};
    const next = anotherWriter();
    await Promise.all([next.write(write(manyRows), owner), ...[1, 2, 3].map((x) => next.write(write({ ...manyRows, x }), keyed(`k${x}`))), next.write(write(manyRows), owner)]);
    expect(chunks()).toHaveLength(10);
    expect(new Set(chunks().map(({ id }) => id)).size).toBe(10);
  });
});

describe('many writes at once', () => {
  test('keep their order in each partition, under idempotency keys too', async () => {
    const ids = Object.keys(manyRows);
    const requests = [write(Object.fromEntries(ids.map((id) => [id, 1]))), ...ids.map((id) => write({ [id]: 2 }))];
    const prepared = await Promise.all(requests.map((request, index) => writer.prepare(request, keyed(`k${index}`))));
    await Promise.all(prepared.map((send) => send()));
    const latest = new Map(chunks().flatMap(({ data }) => {
      const { keys, key, columns } = decodeChunk(data);
      return Array.from(key, (of, row) => [keys[of], (columns.get('x') as number[])[row]] as const);
    }));
    expect([...latest.values()]).toEqual(ids.map(() => 2));
  });

  test('go on after one that failed in the middle', async () => {
    let failures = 1;
    log.before = async (stream) => {
      if (stream.endsWith('.0') && failures-- > 0) throw new Error('The disk is full');
    };
    const [first, second] = await Promise.all([write(manyRows), write({ k1: 1, k2: 2, k3: 3, k4: 4 })].map((request, index) => writer.prepare(request, keyed(`k${index}`))));
    expect(await Promise.allSettled([first!(), second!()])).toMatchObject([{ status: 'rejected' }, { value: { rowsWritten: 4 } }]);
  });

  test('from several processes are all there, each once', async () => {
    const writers = [anotherWriter(), anotherWriter(), anotherWriter()];
    await Promise.all(Array.from({ length: 60 }, (_, index) => writers[index % 3]!.write(write({ same: index }), keyed(`k${index}`))));
    expect(chunks().map(({ data }) => (decodeChunk(data).columns.get('x') as number[])[0]).sort((a, b) => a! - b!)).toEqual(Array.from({ length: 60 }, (_, index) => index));
  });

  test('to one partition go together, each an event of its own', async () => {
    let open = () => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    log.before = () => gate;
    const writes = Array.from({ length: 100 }, (_, index) => writer.write(write({ same: index }), owner));
    await new Promise((resolve) => setImmediate(resolve));
    open();
    const replies = await Promise.all(writes);
    expect(chunks().map(({ data }) => decodeChunk(data).columns.get('x'))).toEqual(Array.from({ length: 100 }, (_, index) => [index]));
    expect(log.appends.filter(({ stream }) => stream.startsWith('features-'))).toHaveLength(2);
    expect(new Set(replies.map(({ commandId }) => commandId)).size).toBe(100);
  });
});

test('an append whose outcome is unknown is looked for before it is tried again', async () => {
  let lost = 1;
  log.after = async (stream) => {
    if (stream.startsWith('features-') && lost-- > 0) throw new EventStoreTimeout('No answer', { outcomeUnknown: true });
  };
  expect(await writer.write(write({ a: 1 }), owner)).toMatchObject({ rowsWritten: 1 });
  expect(chunks()).toHaveLength(1);
});

describe('a write that breaks what is only to be reported', () => {
  const expecting = (max: number) =>
    log.append(featureMonitoringStream('p', 'g'), [{ id: crypto.randomUUID(), type: 'FeatureExpectationsSet', data: { project: 'p', group: 'g', expectations: [expectation.parse({ name: 'few_nulls', kind: 'NULL_RATE', feature: 'x', max })] }, metadata: { version: 1 } }], { expected: 'any' });
  const failAppends = (fails: (stream: string) => boolean) =>
    void (log.before = async (stream) => {
      if (fails(stream)) throw new Error('The disk is full');
    });
  const broken = { a: null, b: null, c: null, d: 1 };

  test('is told of once all its rows are in the log', async () => {
    await expecting(0.5);
    const { commandId } = await writer.write(write(broken), owner);
    expect(told).toEqual([{ breach: `${commandId}.few_nulls`, chunks: chunks().length }]);
  });

  test('and is not stored, or not all of it, is not told of; when it is sent again it is', async () => {
    await expecting(0.5);
    for (const fails of [(stream: string) => stream.startsWith('features-'), (stream: string) => stream === 'features-p.g.1']) {
      failAppends(fails);
      await expect(writer.write(write(broken), keyed('k'))).rejects.toThrow('The disk is full');
      expect(told).toEqual([]);
    }
    failAppends(() => false);
    const { commandId } = await writer.write(write(broken), keyed('k'));
    expect(told).toEqual([{ breach: `${commandId}.few_nulls`, chunks: 2 }]);
  });

  test('has it beside the last of its rows, so that it is not lost where it cannot be told; and a repeat finds nothing new', async () => {
    await expecting(0.5);
    tellFault = new Error('No answer');
    for (const context of [owner, keyed('k')]) {
      const { commandId } = await writer.write(write(broken), context);
      const own = chunks().filter(({ metadata }) => metadata['commandId'] === commandId);
      expect(own.map(({ metadata }) => breachesIn(metadata).map(({ breach, mode, finding }) => [breach, mode, finding.observed]))).toEqual([[], [[`${commandId}.few_nulls`, 'REPORT', 0.75]]]);
    }
    expect(untold).toEqual([[expect.stringMatching(/\.few_nulls$/), 'No answer'], [expect.stringMatching(/\.few_nulls$/), 'No answer']]);
    await expecting(0);
    await anotherWriter().write(write(broken), keyed('k'));
    expect([chunks().length, told]).toEqual([4, []]);
  });

  test('and its rows are one event, has it there; a write that breaks nothing says nothing', async () => {
    await expecting(0.5);
    await writer.write(write({ a: null }), owner);
    await writer.write(write({ a: 1 }), owner);
    expect(chunks().map(({ metadata }) => breachesIn(metadata).length)).toEqual([1, 0]);
  });
});
