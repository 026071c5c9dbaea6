import type { Pool } from 'pg';
import type { Core } from './api/core.js';
import { catalogue, views } from './catalogue.js';
import { KeyGuard } from './commands/access.js';
import { Quarantine, type QuarantineLimits } from './commands/features/quarantine/quarantine.js';
import { Aggregates } from './commands/kit/aggregates.js';
import { PostgresSnapshots } from './commands/kit/snapshots/postgres.js';
import type { AnyAction } from './commands/kit/action.js';
import type { RequestContext } from './commands/kit/command.js';
import { CommandExecutor, requirePermission } from './commands/kit/execute.js';
import { RememberingCommandLog, type CommandLog } from './commands/kit/idempotency.js';
import { parseInput } from './commands/kit/validate.js';
import { Refusal } from './domain/kit/index.js';
import { parsePosition, PositionError, type Position } from './platform/eventstore/port.js';
import { askingAgain } from './platform/postgres/ask-again.js';
import type { AnyQuery } from './projections/kit/query.js';
import { pinPast } from './projections/past.js';

type Foundations = Pick<Core, 'eventStore' | 'pool' | 'dataSource' | 'projections' | 'trainingSets' | 'log'> & { readonly localKey?: string; readonly minPositionWaitMs: number; readonly quarantine: QuarantineLimits };

/** Joins the command side and the query side into what the wires are given. */
export function makeCore(foundations: Foundations): Omit<Core, 'jobs'> & { guard: KeyGuard } {
  const { eventStore, dataSource, projections, trainingSets, localKey, minPositionWaitMs, log } = foundations;
  const pool = askingAgain(foundations.pool);
  const aggregates = new Aggregates(eventStore, new PostgresSnapshots(foundations.pool, (err, stream) => log.warn({ err, stream }, 'A snapshot could not be used; the stream is read instead')));
  const commandLog = new RememberingCommandLog(postgresCommandLog(pool));
  const executor = new CommandExecutor(eventStore, aggregates, commandLog);
  const guard = new KeyGuard(eventStore, aggregates, localKey);

  async function ask(query: AnyQuery, raw: unknown, context: RequestContext & { minPosition?: string }): Promise<unknown> {
    const asked = parseInput(query.input, raw) as { project?: string; asOf?: string };
    requirePermission(query, asked.project, context);
    await awaitPosition(query.views, context);
    const input = asked.asOf === undefined ? asked : { ...asked, asOf: await pin(asked.asOf, query.views, context) };
    await noteParked(query.views, context);
    return query.run(input, { pool, eventStore, trainingSets, projections, caller: context.caller, signal: context.signal });
  }

  async function act(action: AnyAction, raw: unknown, context: RequestContext): Promise<unknown> {
    requirePermission(action, undefined, context);
    return action.run(parseInput(action.input, raw), { eventStore, projections, request: context });
  }

  /** The position of a question about the past; the answer says which one it was. */
  async function pin(asOf: string, named: readonly string[], context: RequestContext): Promise<string> {
    const awaitViews = (waited: readonly string[], position: Position) => waitFor(waited, position, context);
    const position = await pinPast(asOf, named, { eventStore, pool, views, awaitViews }, context.signal);
    context.noteAsOf?.(position);
    return position;
  }

  /** Never older data than the caller has seen: waits for the views, or refuses. */
  async function awaitPosition(views: readonly string[], context: RequestContext & { minPosition?: string }): Promise<void> {
    if (context.minPosition !== undefined) await waitFor(views, positionOf(context.minPosition), context);
  }

  function waitFor(views: readonly string[], position: Position, { deadline, signal }: RequestContext): Promise<void> {
    const untilDeadline = deadline === undefined ? Infinity : deadline - Date.now();
    return projections.waitFor(views, position, { timeoutMs: Math.min(minPositionWaitMs, untilDeadline), signal });
  }

  /** Tells the caller when keys of a view stand still, so that what is read may be older than its position says. */
  async function noteParked(views: readonly string[], context: RequestContext): Promise<void> {
    const parked = await projections.parkedCounts();
    if (parked.size === 0) return;
    const counts = new Map([...parked].filter(([view]) => views.includes(view)));
    if (counts.size > 0) context.noteParked?.(counts);
  }

  return {
    catalogue,
    eventStore,
    pool,
    dataSource,
    projections,
    trainingSets,
    aggregates,
    commandLog,
    executor,
    quarantine: new Quarantine(foundations.pool, foundations.quarantine),
    guard,
    log,
    execute: (command, input, context) => executor.execute(command, input, context),
    act,
    ask,
    awaitPosition,
    noteParked,
    authenticate: (apiKey) => guard.authenticate(apiKey),
  };
}

function positionOf(text: string) {
  try {
    return parsePosition(text);
  } catch (error) {
    if (!(error instanceof PositionError)) throw error;
    throw new Refusal('INVALID_ARGUMENT', error.message, { reason: 'INVALID_HEADER', fields: [{ field: 'Tarl-Min-Position', description: 'takes the position of an earlier answer' }] });
  }
}

const findCommand = `select body_hash as "bodyHash", position, revision::text from command_log where command_id = $1`;

const postgresCommandLog = (pool: Pool): CommandLog => ({
  find: async (commandId) => {
    const { rows } = await pool.query(findCommand, [commandId]);
    return rows[0] && { ...rows[0], revision: BigInt(rows[0].revision) };
  },
});
