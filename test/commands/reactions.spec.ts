import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Aggregates } from '../../src/commands/kit/aggregates.js';
import type { AnyCommand, InnerCommand, RequestContext } from '../../src/commands/kit/command.js';
import { CommandExecutor } from '../../src/commands/kit/execute.js';
import { RememberingCommandLog } from '../../src/commands/kit/idempotency.js';
import { projectCommands } from '../../src/commands/projects.js';
import { defineReaction, type Reaction } from '../../src/commands/reactions/define.js';
import { Reactor } from '../../src/commands/reactions/reactor.js';
import { Refusal } from '../../src/domain/kit/index.js';
import { projectEvents } from '../../src/domain/projects/events.js';
import { UndecodableEvent } from '../../src/platform/eventstore/decode-stored.js';
import type { StoredEvent } from '../../src/platform/eventstore/port.js';
import { jobsView } from '../../src/projections/jobs/view.js';
import { projectsView } from '../../src/projections/projects/view.js';
import { engineWorld, type EngineWorld } from '../projections/engine/world.js';
import { until } from '../support/until.js';

const [createProject, describeProject] = projectCommands as unknown as readonly AnyCommand[];
const [projectCreated] = projectEvents;

let world: EngineWorld;
const reactors: Reactor[] = [];
beforeEach(async () => {
  world = await engineWorld([]);
});
afterEach(async () => {
  await Promise.all(reactors.splice(0).map((reactor) => reactor.stop()));
  await world.close();
});

/** Whoever creates a project finds it described. */
const describeNew = defineReaction({
  name: 'describe-new',
  since: '2026-01-01T00:00:00Z',
  events: [projectCreated],
  react: ({ data: { project } }) => [{ command: describeProject!, input: { project, description: `The home of ${project}` } }],
});

/** The command side of one process; nothing is remembered but what the log holds. */
function executor(): CommandExecutor {
  return new CommandExecutor(world.eventStore, new Aggregates(world.eventStore), new RememberingCommandLog({ find: async () => undefined }));
}
const create = (project: string) => executor().execute(createProject!, { project }, { caller: { actor: 'tester', may: () => true }, correlationId: '019a0000-0000-7000-8000-000000000001' });

type Execute = (command: InnerCommand, input: unknown, context: RequestContext) => Promise<any>;
function react(reactions: readonly Reaction[], execute: Execute = (...given) => executor().execute(...given)): Reactor {
  const log = { info: () => undefined, warn: () => undefined };
  const reactor = new Reactor({ eventStore: world.eventStore, pool: world.database.pool, reactions, execute, log });
  reactors.push(reactor);
  reactor.start();
  return reactor;
}

async function eventsOf(project: string): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const event of world.eventStore.readStream(`project-${project}`)) events.push(event);
  return events;
}
const typesOf = async (project: string) => (await eventsOf(project)).map(({ type }) => type);
const described = (project: string) => until(`${project} is described`, async () => (await typesOf(project)).includes('ProjectDescribed'));
const placeOf = async (name: string) => (await world.database.pool.query('select commit_position::text as commit, error from reaction_checkpoints where reaction = $1', [name])).rows[0];

test('an event leads to the command, in the name of the reaction and caused by the event', async () => {
  react([describeNew]);
  await create('a');
  await described('a');
  const [cause, effect] = await eventsOf('a');
  expect(effect!.data).toEqual({ project: 'a', description: 'The home of a' });
  expect(effect!.metadata).toMatchObject({ actor: 'reaction:describe-new', causationId: cause!.id, correlationId: '019a0000-0000-7000-8000-000000000001' });
});

test('a reaction that has lost its place goes through the log again and changes nothing twice', async () => {
  const first = react([describeNew]);
  await create('a');
  await described('a');
  await first.stop();
  await executor().execute(describeProject!, { project: 'a', description: 'Another wording' }, { caller: { actor: 'tester', may: () => true } });
  await world.database.pool.query('delete from reaction_checkpoints');
  react([describeNew]);
  await create('b');
  await described('b');
  expect(await typesOf('a')).toEqual(['ProjectCreated', 'ProjectDescribed', 'ProjectDescribed']);
  expect((await eventsOf('a')).at(-1)!.data).toMatchObject({ description: 'Another wording' });
});

test('a process that dies between the command and its checkpoint is followed by one that issues the same command again', async () => {
  const ids: string[] = [];
  await create('a');
  const dying = react([describeNew], async (command, input, context) => {
    const reply = await executor().execute(command, input, context);
    ids.push(reply.commandId);
    await world.database.pool.query('update reaction_checkpoints set commit_position = 0, prepare_position = 0');
    if (ids.length === 1) throw new Error('killed');
    return reply;
  });
  await until('it was issued again', () => ids.length >= 2);
  await dying.stop();
  expect(new Set(ids).size).toBe(1);
  expect(await typesOf('a')).toEqual(['ProjectCreated', 'ProjectDescribed']);
});

test('of several processes one reacts, and another takes over when its connection is gone', async () => {
  const by: string[] = [];
  const processes = ['one', 'two'].map((name) => [name, react([describeNew], async (...given) => {
    by.push(name);
    return executor().execute(...given);
  })] as const);
  await create('a');
  await described('a');
  await create('b');
  await described('b');
  expect(new Set(by).size).toBe(1);
  await processes.find(([name]) => name === by[0])![1].stop();
  await create('c');
  await described('c');
  expect(new Set(by).size).toBe(2);
  expect(await typesOf('a')).toEqual(['ProjectCreated', 'ProjectDescribed']);
});

test('a rebuild of a read model issues no command', async () => {
  await create('a');
  await create('b');
  let issued = 0;
  react([describeNew], async () => void issued++);
  await until('both have been reacted to', () => issued === 2);
  const engine = world.engine([projectsView]);
  await engine.start();
  await until('the engine projects', () => engine.isOwner);
  await engine.rebuild('projects', () => undefined);
  await create('c');
  await until('the next event has been reacted to', () => issued === 3);
  expect(issued).toBe(3);
});

test('a command that is refused for good is passed over, and one that is refused for now is issued until it succeeds', async () => {
  const codes = ['UNAVAILABLE', 'FAILED_PRECONDITION'] as const;
  const asked: string[] = [];
  await create('a');
  await create('b');
  react([describeNew], async (_, { project }: any) => {
    asked.push(project);
    const code = codes[asked.length - 1];
    if (code) throw new Refusal(code, 'no');
  });
  await until('both have been asked for', () => asked.includes('b'));
  expect(asked).toEqual(['a', 'a', 'b']);
});

test('a command on a stream that cannot be read is not passed over, for its effect would be lost', async () => {
  const asked: string[] = [];
  await create('a');
  const [event] = (await eventsOf('a')) as [StoredEvent];
  await create('b');
  react([describeNew], async (_, { project }: any) => {
    asked.push(project);
    if (asked.length === 1) throw new UndecodableEvent(event, new Error('damaged'));
  });
  await until('both have been asked for', () => asked.includes('b'));
  expect(asked).toEqual(['a', 'a', 'b']);
});

test('a reaction that fails says why and holds up no other', async () => {
  const broken = defineReaction({ ...describeNew, name: 'broken', since: '2026-01-01T00:00:00Z', events: [projectCreated], react: () => { throw new Error('cannot react'); } });
  react([broken, describeNew]);
  await create('a');
  await described('a');
  await until('the failure is to be seen', async () => (await placeOf('broken'))?.error === 'cannot react');
});

test('what was recorded before a reaction was written does not set it off', async () => {
  await create('old');
  const [{ recordedAt }] = (await eventsOf('old')) as [StoredEvent];
  react([{ ...describeNew, since: new Date(recordedAt.getTime() + 1) }]);
  await until('the moment has passed', () => Date.now() > recordedAt.getTime() + 1);
  await create('young');
  await described('young');
  expect(await typesOf('old')).toEqual(['ProjectCreated']);
});

test('no rebuild runs a reaction or a job: whatever is made again from the log, nothing is ordered again', async () => {
  const ordered: unknown[] = [];
  react([describeNew], async (...given) => (ordered.push((given[1] as { project: string }).project), executor().execute(...given)));
  const engine = world.engine([projectsView, jobsView]);
  await engine.start();
  await create('a');
  await described('a');
  await world.append('job-1', ['JobRequested', { id: '1', job: 'clear', input: {}, notBefore: null }]);
  const logged = async () => {
    const events: StoredEvent[] = [];
    for await (const event of world.eventStore.readLog()) events.push(event);
    return events.map(({ type }) => type);
  };
  const before = await logged();
  for (const view of ['projects', 'jobs', 'projects']) await engine.rebuild(view, () => undefined);
  expect(await logged()).toEqual(before);
  // Whoever would have been late to react again has done so once it reacts to what is new.
  await create('b');
  await described('b');
  expect(ordered).toEqual(['a', 'b']);
  const { rows } = await world.database.pool.query('select id, status from requested_jobs');
  expect(rows).toEqual([{ id: '1', status: 'waiting' }]);
});
