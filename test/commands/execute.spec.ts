import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { projectCommands } from '../../src/commands/projects.js';
import { Aggregates } from '../../src/commands/kit/aggregates.js';
import { defineCommand, defineCommandInto, type AnyCommand, type Caller, type RequestContext } from '../../src/commands/kit/command.js';
import { CommandExecutor } from '../../src/commands/kit/execute.js';
import { RememberingCommandLog, type CommandLog } from '../../src/commands/kit/idempotency.js';
import { defineDecider, defineEvent, type EventOf } from '../../src/domain/kit/index.js';
import { EventStoreTimeout } from '../../src/platform/eventstore/errors.js';
import { connect } from '../../src/platform/eventstore/index.js';
import type { EventStore, StoredEvent } from '../../src/platform/eventstore/port.js';
import { testEventStore } from '../support/eventstore.js';

const [createProject, describeProject, archiveProject] = projectCommands as unknown as readonly [AnyCommand, AnyCommand, AnyCommand];
const owner: Caller = { actor: 'key:test', may: () => true };
const nothingRecorded: CommandLog = { find: async () => undefined };

let server: Awaited<ReturnType<typeof testEventStore>>;
let eventStore: EventStore;
beforeAll(async () => {
  server = await testEventStore();
  eventStore = connect(server.url);
});
afterAll(async () => {
  await eventStore.close();
  await server.close();
});

/** A process of its own: nothing cached, nothing remembered. */
const newProcess = (store: EventStore = eventStore) => new CommandExecutor(store, new Aggregates(store), new RememberingCommandLog(nothingRecorded));
const as = (context: Partial<RequestContext> = {}): RequestContext => ({ caller: owner, ...context });
let number = 0;
const newName = () => `p${++number}_${process.pid}`;

async function eventsOf(stream: string): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const event of eventStore.readStream(stream)) events.push(event);
  return events;
}

describe('a command', () => {
  test('answers with the position, the etag and whether it changed something', async () => {
    const project = newName();
    const executor = newProcess();
    const first = await executor.execute(createProject, { project, description: 'one' }, as());
    expect(first).toMatchObject({ changed: true, etag: '0', position: expect.stringMatching(/^\d+$/) });
    const second = await executor.execute(describeProject, { project, description: 'two' }, as());
    expect(second).toMatchObject({ changed: true, etag: '1' });
    expect(BigInt(second.position)).toBeGreaterThan(BigInt(first.position));
    expect(await executor.execute(describeProject, { project, description: 'two' }, as())).toMatchObject({ changed: false, etag: '1', position: second.position });
  });

  test('writes who asked, for which project, by which command, in which version', async () => {
    const project = newName();
    const { commandId } = await newProcess().execute(createProject, { project }, as({ correlationId: 'c-1', traceparent: '00-1-2-01' }));
    const [event] = await eventsOf(`project-${project}`);
    expect(event).toMatchObject({ type: 'ProjectCreated', data: { project, description: '' } });
    expect(event!.metadata).toMatchObject({ commandId, actor: 'key:test', project, version: 1, correlationId: 'c-1', causationId: commandId, traceparent: '00-1-2-01' });
  });

  test('that does not fit its schema names every wrong field and changes nothing', async () => {
    const refused = newProcess().execute(createProject, { project: 'No-Good', description: 7 }, as());
    await expect(refused).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', details: { fields: [{ field: 'project' }, { field: 'description' }] } });
    expect(await eventsOf('project-No-Good')).toEqual([]);
  });

  test('without its permission is refused before anything is read', async () => {
    const stranger: Caller = { actor: 'key:other', may: () => false };
    await expect(newProcess().execute(createProject, { project: newName() }, { caller: stranger })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  test('decided on an outdated fold is decided again on what the log holds', async () => {
    const project = newName();
    const here = newProcess();
    const there = newProcess();
    await here.execute(createProject, { project, description: 'one' }, as());
    await there.execute(archiveProject, { project, reason: 'done' }, as());
    await expect(here.execute(describeProject, { project, description: 'two' }, as())).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    await expect(here.execute(describeProject, { project, description: 'one' }, as())).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
  });
});

describe('an etag', () => {
  test('lets the command through only while the resource is unchanged', async () => {
    const project = newName();
    const executor = newProcess();
    const { etag } = await executor.execute(createProject, { project }, as());
    await executor.execute(describeProject, { project, description: 'two' }, as({ ifMatch: [etag] }));
    await expect(executor.execute(describeProject, { project, description: 'three' }, as({ ifMatch: [etag] }))).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      details: { reason: 'ETAG_MISMATCH', metadata: { etag: '1' } },
    });
  });

  test('is one of several that the resource may have, or any where it only has to exist', async () => {
    const project = newName();
    const executor = newProcess();
    await executor.execute(createProject, { project }, as());
    await executor.execute(describeProject, { project, description: 'two' }, as({ ifMatch: ['7', '0'] }));
    await executor.execute(describeProject, { project, description: 'three' }, as({ ifMatch: '*' }));
    await expect(executor.execute(describeProject, { project, description: 'four' }, as({ ifMatch: ['7', '0'] }))).rejects.toMatchObject({ message: 'The resource has changed: its etag is 2, not 7 or 0' });
    await expect(executor.execute(describeProject, { project, description: 'four' }, as({ ifMatch: [] }))).rejects.toMatchObject({ message: 'The resource has changed: its etag is 2, not a weak one' });
  });

  test('is asked for in vain of what does not exist, also where any would do', async () => {
    const project = newName();
    await expect(newProcess().execute(createProject, { project }, as({ ifMatch: '*' }))).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', details: { reason: 'ETAG_MISMATCH' } });
    await newProcess().execute(createProject, { project }, as());
  });

  test('is no etag of what does not exist', async () => {
    await expect(newProcess().execute(createProject, { project: newName() }, as({ ifMatch: ['0'] }))).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: 'The resource does not exist, so its etag is not 0',
    });
  });
});

describe('an idempotency key', () => {
  test('answers a repeat as the first time, in this process and in another', async () => {
    const project = newName();
    const context = as({ idempotencyKey: `k-${project}` });
    const executor = newProcess();
    const first = await executor.execute(createProject, { project, description: 'one' }, context);
    await executor.execute(describeProject, { project, description: 'two' }, as());
    expect(await executor.execute(createProject, { description: 'one', project }, context)).toEqual(first);
    expect(await newProcess().execute(createProject, { project, description: 'one' }, context)).toEqual(first);
    expect(await eventsOf(`project-${project}`)).toHaveLength(2);
  });

  test('refuses another body', async () => {
    const project = newName();
    const context = as({ idempotencyKey: `k-${project}` });
    const executor = newProcess();
    await executor.execute(createProject, { project, description: 'one' }, context);
    const refusal = { code: 'FAILED_PRECONDITION', details: { reason: 'IDEMPOTENCY_KEY_REUSED' } };
    await expect(executor.execute(createProject, { project, description: 'two' }, context)).rejects.toMatchObject(refusal);
    await expect(executor.execute(createProject, { project: newName(), description: 'one' }, context)).rejects.toMatchObject(refusal);
    await expect(newProcess().execute(createProject, { project, description: 'two' }, context)).rejects.toMatchObject(refusal);
  });

  test('of one caller means nothing for another', async () => {
    const [one, two] = [newName(), newName()];
    const executor = newProcess();
    await executor.execute(createProject, { project: one }, as({ idempotencyKey: 'shared' }));
    const other: Caller = { actor: 'key:other', may: () => true };
    expect(await executor.execute(createProject, { project: two }, { caller: other, idempotencyKey: 'shared' })).toMatchObject({ changed: true });
  });
});

const counted = defineEvent('Counted', z.object({ by: z.string() }));
const counter = defineDecider<number, readonly [typeof counted]>({ category: 'counter', events: [counted], initialState: 0, on: { Counted: (count) => count + 1 } });
const count = defineCommand({
  name: 'Count',
  summary: 'Counts one more',
  permission: 'counters.write',
  http: { method: 'POST', path: '/api/v1/counters' },
  input: z.object({ counter: z.string(), by: z.string() }),
  decider: counter,
  stream: ({ counter }) => `counter-${counter}`,
  decide: ({ by }): EventOf<typeof counted>[] => [{ type: 'Counted', data: { by } }],
  creates: true,
}) as unknown as AnyCommand;

describe('many at once', () => {
  test('from several processes each take effect exactly once', async () => {
    const name = newName();
    const processes = [newProcess(), newProcess(), newProcess()];
    const commands = Array.from({ length: 60 }, (_, n) => processes[n % 3]!.execute(count, { counter: name, by: `${n}` }, as()));
    const replies = await Promise.all(commands);
    const events = await eventsOf(`counter-${name}`);
    expect(events).toHaveLength(60);
    expect(new Set(events.map(({ data }) => (data as { by: string }).by)).size).toBe(60);
    expect(new Set(replies.map(({ etag }) => etag)).size).toBe(60);
  });

  test('an append whose answer was lost is found again, not written twice', async () => {
    const name = newName();
    let lose = 1;
    const forgetful: EventStore = Object.create(eventStore, {
      append: {
        value: async (...args: Parameters<EventStore['append']>) => {
          const result = await eventStore.append(...args);
          if (lose-- > 0) throw new EventStoreTimeout('no answer', { outcomeUnknown: true });
          return result;
        },
      },
    }) as EventStore;
    const reply = await newProcess(forgetful).execute(count, { counter: name, by: 'once' }, as());
    expect(reply).toMatchObject({ changed: true, etag: '0' });
    expect(await eventsOf(`counter-${name}`)).toHaveLength(1);
  });
});

describe('a command whose events go into another stream than it decides on', () => {
  const noted = defineEvent('Noted', z.object({ at: z.number() }));
  const note = defineCommandInto({
    name: 'Note',
    summary: 'Notes how far the counter has come',
    permission: 'counters.write',
    http: { method: 'POST', path: '/api/v1/counters:note' },
    input: z.object({ counter: z.string() }),
    decider: counter,
    stream: ({ counter }) => `counter-${counter}`,
    decide: (_, at): EventOf<typeof noted>[] => [{ type: 'Noted', data: { at } }],
    into: { events: [noted], stream: ({ data }) => `notes-${process.pid}_${data.at}` },
  }) as unknown as AnyCommand;

  test('decides on what others have done meanwhile, and answers with the etag of what it decided on', async () => {
    const name = newName();
    const [one, other] = [newProcess(), newProcess()];
    await one.execute(count, { counter: name, by: 'one' }, as());
    await other.execute(count, { counter: name, by: 'other' }, as());
    expect(await one.execute(note, { counter: name }, as())).toMatchObject({ changed: true, etag: '1' });
    expect((await eventsOf(`notes-${process.pid}_2`)).map(({ data }) => data)).toEqual([{ at: 2 }]);
    expect(await eventsOf(`counter-${name}`)).toHaveLength(2);
  });

  test('takes effect once under one idempotency key, also when it comes twice at the same moment', async () => {
    const name = newName();
    const executor = newProcess();
    for (let at = 0; at < 3; at++) await executor.execute(count, { counter: name, by: 'one' }, as());
    const context = as({ idempotencyKey: `note-${name}` });
    const [first, twin] = await Promise.all([executor.execute(note, { counter: name }, context), executor.execute(note, { counter: name }, context)]);
    expect([twin, await executor.execute(note, { counter: name }, context)]).toEqual([first, first]);
    expect(await eventsOf(`notes-${process.pid}_3`)).toHaveLength(1);
  });
});
