import { createHash, timingSafeEqual } from 'node:crypto';
import type { Core, ViewStatus } from '../../../src/api/core.js';
import { catalogue } from '../../../src/catalogue.js';
import { Aggregates } from '../../../src/commands/kit/aggregates.js';
import type { Permission } from '../../../src/commands/kit/command.js';
import { CommandExecutor, requirePermission } from '../../../src/commands/kit/execute.js';
import { RememberingCommandLog } from '../../../src/commands/kit/idempotency.js';
import { parseInput } from '../../../src/commands/kit/validate.js';
import { Refusal } from '../../../src/domain/kit/index.js';
import { WrongExpectedRevision } from '../../../src/platform/eventstore/errors.js';
import { parsePosition, PositionError, startOfLog, type EventStore, type StoredEvent } from '../../../src/platform/eventstore/port.js';
import { keyOfPageToken, pageTokenAfter } from '../../../src/projections/kit/paging.js';

/** The key that may do everything, and one that may only read projects. */
export const ownerKey = 'owner-key';
export const readerKey = 'reader-key';

const grants: Readonly<Record<string, (permission: Permission) => boolean>> = { [ownerKey]: () => true, [readerKey]: (permission) => permission === 'projects.read' };

/** The projects domain over a list of events in memory, and projections that tests replace: enough for the wires to be themselves. */
export interface MemoryCore extends Core {
  readonly events: readonly StoredEvent[];
  /** Makes the next calls of the core fail with this. */
  failWith(error: Error | undefined): void;
  viewStatus: ViewStatus;
}

export function memoryCore(): MemoryCore {
  const events: StoredEvent[] = [];
  const eventStore = memoryEventStore(events);
  const aggregates = new Aggregates(eventStore);
  const commandLog = new RememberingCommandLog({ find: async () => undefined });
  const executor = new CommandExecutor(eventStore, aggregates, commandLog);
  let failure: Error | undefined;

  const core: MemoryCore = {
    events,
    failWith: (error) => void (failure = error),
    viewStatus: { name: 'projects', version: 1, state: 'live', position: '0', lagPositions: '0', lagMs: 0, parkedKeys: 0, eventsPerSecond: 0, eventsHandled: 0, slices: [{ slice: 0, position: '0', lagMs: 0, owner: 'here:1' }] },
    catalogue: catalogue.filter(({ name }) => ['projects', 'audit', 'projections'].includes(name)),
    eventStore,
    aggregates,
    commandLog,
    executor,
    pool: { query: async () => ({ rows: [] }) } as never,
    quarantine: {} as never,
    log: { warn: () => undefined },
    dataSource: undefined as never,
    trainingSets: undefined as never,
    jobs: {
      status: async () => ({ jobs: [], failed: [], reactions: [] }),
      counts: async () => [],
      retry: async (id) => Promise.reject(new Refusal('NOT_FOUND', `Job ${id} does not exist`, { reason: 'JOB_NOT_FOUND' })),
      openQueues: async () => [],
    },
    projections: {
      waitFor: async () => undefined,
      status: async () => [core.viewStatus],
      rebuild: async () => undefined,
      begin: async () => Promise.reject(new Error('Nothing is rebuilt here')),
      operations: async () => [],
      operation: async () => Promise.reject(new Error('There are no operations here')),
      steer: async () => Promise.reject(new Error('There are no operations here')),
      compare: async () => Promise.reject(new Error('Nothing is compared here')),
      split: async () => undefined,
      parked: async () => [],
      parkedCounts: async () => new Map(),
      retryParked: async () => ({ taken: 0, left: 0 }),
    },
    async execute(command, input, context) {
      if (failure) throw failure;
      return executor.execute(command, input, context);
    },
    async ask(query, raw, context) {
      if (failure) throw failure;
      const input = parseInput(query.input, raw) as { project?: string };
      requirePermission(query, input.project, context);
      await core.awaitPosition(query.views, context);
      await core.noteParked(query.views, context);
      const answer = answers[query.name];
      return answer ? answer(projectsOf(events), input) : query.run(input, { projections: core.projections, eventStore: core.eventStore, caller: context.caller, signal: context.signal } as never);
    },
    async act(action, raw, context) {
      if (failure) throw failure;
      requirePermission(action, undefined, context);
      return action.run(parseInput(action.input, raw), { eventStore, projections: core.projections, request: context });
    },
    async awaitPosition(_views, { minPosition, signal, deadline }) {
      if (minPosition === undefined || positionOf(minPosition) <= (events.at(-1)?.position.commit ?? 0n)) return;
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(resolve, Math.min(200, (deadline ?? Infinity) - Date.now()));
        signal?.addEventListener('abort', () => (clearTimeout(timer), reject(signal.reason as Error)), { once: true });
      });
      throw new Refusal('UNAVAILABLE', 'The view projects has not come that far', { reason: 'VIEW_BEHIND' });
    },
    noteParked: async (_views, context) => {
      if (core.viewStatus.parkedKeys > 0) context.noteParked?.(new Map([['projects', core.viewStatus.parkedKeys]]));
    },
    async authenticate(apiKey) {
      const known = Object.keys(grants).find((key) => timingSafeEqual(hash(key), hash(apiKey ?? '')));
      if (known === undefined) throw new Refusal('UNAUTHENTICATED', 'This needs an API key', { reason: 'MISSING_API_KEY' });
      return { actor: `key:${known}`, may: grants[known]! };
    },
  };
  return core;
}

const hash = (text: string) => createHash('sha256').update(text).digest();

function positionOf(text: string): bigint {
  try {
    return parsePosition(text).commit;
  } catch (error) {
    if (!(error instanceof PositionError)) throw error;
    throw new Refusal('INVALID_ARGUMENT', error.message, { reason: 'INVALID_HEADER', fields: [{ field: 'Tarl-Min-Position', description: 'takes the position of an earlier answer' }] });
  }
}

type Row = Record<string, unknown> & { project: string };

function projectsOf(events: readonly StoredEvent[]): Row[] {
  const rows = new Map<string, Row>();
  for (const { data, type, recordedAt, revision, metadata } of events) {
    const fact = data as { project: string; description?: string };
    const at = recordedAt.toISOString();
    const before = rows.get(fact.project) ?? { project: fact.project, archived: false, createdAt: at, createdBy: metadata.actor };
    rows.set(fact.project, {
      ...before,
      ...(fact.description !== undefined && { description: fact.description }),
      ...(type === 'ProjectArchived' && { archived: true }),
      ...(type === 'ProjectUnarchived' && { archived: false }),
      updatedAt: at,
      etag: `${revision}`,
    });
  }
  return [...rows.values()].sort((a, b) => (a.project < b.project ? -1 : 1));
}

const answers: Record<string, (rows: Row[], input: any) => unknown> = {
  GetProject: (rows, { project }) => {
    const row = rows.find((candidate) => candidate.project === project);
    if (!row) throw new Refusal('NOT_FOUND', `Project ${project} does not exist`, { reason: 'PROJECT_NOT_FOUND' });
    return row;
  },
  ListProjects: (rows, { pageSize, pageToken }) => {
    const [after = ''] = keyOfPageToken(pageToken, 1) ?? [];
    const projects = rows.filter(({ project }) => project > after);
    const page = projects.slice(0, pageSize);
    return { projects: page, nextPageToken: pageTokenAfter(projects.length > pageSize ? [page.at(-1)!.project] : undefined) };
  },
};

function memoryEventStore(events: StoredEvent[]): EventStore {
  const revisionOf = (stream: string) => BigInt(events.filter((event) => event.stream === stream).length - 1);
  return {
    async append(stream, added, { expected }) {
      const actual = revisionOf(stream);
      if (expected !== 'any' && (expected === 'none' ? -1n : expected) !== actual) throw new WrongExpectedRevision(stream, expected, actual < 0n ? 'none' : actual);
      for (const event of added) {
        const at = BigInt(events.length + 1) * 100n;
        events.push({ ...event, stream, revision: revisionOf(stream) + 1n, position: { commit: at, prepare: at }, recordedAt: new Date() });
      }
      return { revision: revisionOf(stream), position: events.at(-1)!.position };
    },
    async *readStream(stream, { from = 'start' } = {}) {
      yield* events.filter((event) => event.stream === stream && (typeof from !== 'bigint' || event.revision >= from));
    },
    endOfLog: async () => events.at(-1)?.position ?? startOfLog,
  } as Partial<EventStore> as EventStore;
}
