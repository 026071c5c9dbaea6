import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { project } from '../../../src/domain/projects/state.js';
import { connect } from '../../../src/platform/eventstore/index.js';
import { parsePosition, type EventStore } from '../../../src/platform/eventstore/port.js';
import { jsonLine, replay, type ReplayedEvent, type ReplayProgress } from '../../../src/projections/replay/replay.js';
import type { ReplaySelection } from '../../../src/projections/replay/selection.js';
import { testEventStore } from '../../support/eventstore.js';

let store: Awaited<ReturnType<typeof testEventStore>>;
let eventStore: EventStore;
const positions: string[] = [];
beforeAll(async () => {
  store = await testEventStore();
  eventStore = connect(store.url);
  await write('project-a', 'ProjectCreated', { project: 'a', description: 'one' }, { actor: 'key:1' });
  await write('project-b', 'ProjectCreated', { project: 'b', description: '' }, { actor: 'key:2', correlationId: 'c-1' });
  await write('project-a', 'ProjectDescribed', { project: 'a', description: 'two' }, { actor: 'key:2' });
  await write('notes-a', 'NoteTaken', { text: 'x' }, { project: 'a' });
  await write('project-a', 'ProjectArchived', { project: 'a', reason: 'done' }, { actor: 'key:1', project: 'a' });
  await write('project-b', 'ProjectDescribed', { nonsense: true }, { actor: 'key:1' });
});
afterAll(async () => {
  await eventStore.close();
  await store.close();
});

async function write(stream: string, type: string, data: object, metadata: object) {
  const { position } = await eventStore.append(stream, [{ id: randomUUID(), type, data, metadata: { version: 1, ...metadata } }], { expected: 'any' });
  positions.push(`${position.commit}`);
}

async function told(selection: Partial<ReplaySelection>, state = false): Promise<ReplayedEvent[]> {
  const events = [];
  for await (const event of replay(eventStore, { types: [], streams: [], ...selection }, { state, deciders: [project] })) events.push(event);
  return events;
}
const places = async (selection: Partial<ReplaySelection>) => (await told(selection)).map(({ position }) => positions.indexOf(position));

describe('a replay', () => {
  test('tells every event in the order of the log, with its place, its data and who did it', async () => {
    const events = await told({});
    expect(events.map(({ position }) => position)).toEqual(positions);
    expect(events[0]).toEqual({
      position: positions[0], stream: 'project-a', revision: '0', type: 'ProjectCreated', id: expect.any(String), recordedAt: expect.any(String),
      data: { project: 'a', description: 'one' }, metadata: { version: 1, actor: 'key:1' },
    });
  });

  test('goes from after one position up to another, or from one time to another', async () => {
    expect(await places({ from: parsePosition(positions[1]!), to: parsePosition(positions[3]!) })).toEqual([2, 3]);
    const at = new Date((await told({}))[5]!.recordedAt);
    expect(await places({ from: new Date(0), to: new Date(0) })).toEqual([]);
    expect((await places({ from: at })).at(-1)).toBe(5);
    expect(await places({ from: new Date(at.getTime() + 1) })).toEqual([]);
    expect((await places({ to: at })).length).toBe(6);
  });

  test('chooses by type, stream, project, actor and correlation, alone and together', async () => {
    expect(await places({ types: ['ProjectDescribed'] })).toEqual([2, 5]);
    expect(await places({ types: ['Project*'], streams: ['project-a'] })).toEqual([0, 2, 4]);
    expect(await places({ types: ['Project'] })).toEqual([]);
    expect(await places({ streams: ['project-*'] })).toEqual([0, 1, 2, 4, 5]);
    expect(await places({ streams: ['project-'] })).toEqual([]);
    expect(await places({ project: 'a' })).toEqual([3, 4]);
    expect(await places({ actor: 'key:1', types: ['ProjectArchived'] })).toEqual([4]);
    expect(await places({ correlationId: 'c-1' })).toEqual([1]);
  });

  test('follows what the chosen events led to, whoever did it and wherever, and nothing that came before them', async () => {
    const log = [
      ['other-x', { actor: 'key:9', correlationId: 'r-2' }],
      ['project-x', { actor: 'key:7', correlationId: 'r-1', traceparent: '00-aaa-1-01' }],
      ['group-x', { actor: 'reaction:one', correlationId: 'r-1' }],
      ['other-x', { actor: 'key:9', correlationId: 'r-3' }],
      ['other-x', { actor: 'key:9' }],
      ['project-y', { actor: 'key:7', correlationId: 'r-2' }],
      ['service-x', { actor: 'job:two', correlationId: 'r-2' }],
      ['group-x', { actor: 'reaction:one', correlationId: 'r-1', traceparent: '00-bbb-1-01' }],
      ['job-x', { actor: 'job:two', correlationId: 'r-7', traceparent: '00-aaa-9-01' }],
      ['other-x', { actor: 'key:9', correlationId: 'r-8', traceparent: '00-bbb-1-01' }],
    ] as const;
    const inMemory = {
      endOfLog: async () => ({ commit: 8n, prepare: 8n }),
      async *readLog({ filter }: { filter?: object }) {
        expect(filter).toBeUndefined();
        for (const [index, [stream, metadata]] of log.entries()) yield { id: `${index}`, stream, revision: 0n, position: { commit: BigInt(index), prepare: BigInt(index) }, type: 'T', data: {}, metadata, recordedAt: new Date(0) };
      },
    };
    const led = async (selection: Partial<ReplaySelection>) => {
      const found = [];
      for await (const { id } of replay(inMemory as never, { types: [], streams: [], effects: true, ...selection }, { state: false, deciders: [] })) found.push(Number(id));
      return found;
    };
    expect(await led({ actor: 'key:7' })).toEqual([1, 2, 5, 6, 7, 8]);
    expect(await led({ streams: ['project-x'] })).toEqual([1, 2, 7, 8]);
  });

  test('gives the state after each event, whatever events it leaves out, and says where there is none', async () => {
    const events = await told({ from: parsePosition(positions[1]!), types: ['ProjectArchived', 'NoteTaken', 'ProjectDescribed'] }, true);
    expect(events.map(({ state, stateError }) => state ?? (stateError && 'error'))).toEqual([
      { status: 'active', description: 'two' },
      undefined,
      { status: 'archived', description: 'two' },
      'error',
    ]);
  });

  test('reads on only as fast as its reader, and stops with it', async () => {
    let first: ReplayedEvent | undefined;
    for await (const event of replay(eventStore, { types: [], streams: [] }, { state: false, deciders: [] })) {
      first = event;
      break;
    }
    expect(first!.position).toBe(positions[0]);
  });

  test('says how far it is', async () => {
    const seen: ReplayProgress[] = [];
    for await (const _ of replay(eventStore, { types: [], streams: [] }, { state: false, deciders: [], onProgress: (now) => seen.push(now), tellEvery_ms: 0 }));
    expect(seen.map(({ events }) => events)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(seen[0]!.done).toBeGreaterThan(0);
    expect(seen[5]!.done).toBeLessThanOrEqual(1);
  });
});

test('a state goes into JSON whatever it is made of', () => {
  expect(jsonLine({ state: new Map([['a', new Set([1n])]]) })).toBe('{"state":{"a":["1"]}}\n');
});
