import type { Pool } from 'pg';
import type { Core } from './api/core.js';
import { catalogue } from './catalogue.js';
import { KeyGuard } from './commands/access.js';
import { Aggregates } from './commands/kit/aggregates.js';
import type { RequestContext } from './commands/kit/command.js';
import { CommandExecutor, requirePermission } from './commands/kit/execute.js';
import { RememberingCommandLog, type CommandLog } from './commands/kit/idempotency.js';
import { parseInput } from './commands/kit/validate.js';
import { Refusal } from './domain/kit/index.js';
import { parsePosition, PositionError } from './platform/eventstore/port.js';
import type { AnyQuery } from './projections/kit/query.js';

type Foundations = Pick<Core, 'eventStore' | 'pool' | 'dataSource' | 'projections'> & { readonly localKey?: string; readonly minPositionWaitMs: number };

/** Joins the command side and the query side into what the wires are given. */
export function makeCore(foundations: Foundations): Omit<Core, 'jobs'> & { guard: KeyGuard } {
  const { eventStore, pool, dataSource, projections, localKey, minPositionWaitMs } = foundations;
  const aggregates = new Aggregates(eventStore);
  const commandLog = new RememberingCommandLog(postgresCommandLog(pool));
  const executor = new CommandExecutor(eventStore, aggregates, commandLog);
  const guard = new KeyGuard(eventStore, aggregates, localKey);

  async function ask(query: AnyQuery, raw: unknown, context: RequestContext & { minPosition?: string }): Promise<unknown> {
    const input = parseInput(query.input, raw) as { project?: string };
    requirePermission(query, input.project, context);
    await awaitPosition(query.views, context);
    await noteParked(query.views, context);
    return query.run(input, { pool, eventStore, caller: context.caller, signal: context.signal });
  }

  /** Never older data than the caller has seen: waits for the views, or refuses. */
  async function awaitPosition(views: readonly string[], { minPosition, deadline, signal }: RequestContext & { minPosition?: string }): Promise<void> {
    if (minPosition === undefined) return;
    const untilDeadline = deadline === undefined ? Infinity : deadline - Date.now();
    await projections.waitFor(views, positionOf(minPosition), { timeoutMs: Math.min(minPositionWaitMs, untilDeadline), signal });
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
    aggregates,
    commandLog,
    executor,
    guard,
    execute: (command, input, context) => executor.execute(command, input, context),
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
