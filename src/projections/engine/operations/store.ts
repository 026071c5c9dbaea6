import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { NewOperation, Operation, RebuildProgress, ViewComparison } from '../../../api/core.js';
import { Refusal } from '../../../domain/kit/index.js';
import type { Queryable } from '../connections.js';

/** Whoever runs an operation is taken for dead after this silence, and another process takes the work up. */
const silence = '10 seconds';
const uniqueViolation = '23505';

const selected = `id, kind, view, actor, state, paused, on_difference as "onDifference", progress, comparison, error, started_at as "startedAt", updated_at as "updatedAt"`;

/** Work on views as everybody sees it: rows that outlive the process which works on them. */
export class OperationStore {
  constructor(
    private readonly pool: Queryable,
    private readonly reads = pool,
  ) {}

  /** A new operation that waits for a runner; refused while another one of the view is under way. */
  async begin({ kind, view, actor, onDifference }: NewOperation): Promise<Operation> {
    try {
      const { rows } = await this.pool.query(`insert into operations (id, kind, view, actor, on_difference) values ($1, $2, $3, $4, $5) returning ${selected}`, [randomUUID(), kind, view, actor, onDifference ?? null]);
      return operationOf(rows[0]);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError && error.code === uniqueViolation)) throw error;
      throw new Refusal('FAILED_PRECONDITION', `View ${view} is being rebuilt already`, { reason: 'REBUILD_RUNNING' });
    }
  }

  /** The newest hundred, newest first. */
  async list(): Promise<Operation[]> {
    const { rows } = await this.reads.query(`select ${selected} from operations order by started_at desc, id limit 100`);
    return rows.map(operationOf);
  }

  async find(id: string): Promise<Operation | undefined> {
    const { rows } = await this.reads.query(`select ${selected} from operations where id::text = $1`, [id]);
    return rows[0] && operationOf(rows[0]);
  }

  /** Asks the runner to stand still, to go on, or to stop; an operation that has ended stays as it is. */
  async steer(id: string, wish: 'pause' | 'resume' | 'cancel'): Promise<void> {
    // Whoever stands still goes on in order to stop.
    const wished = { pause: 'paused = true', resume: 'paused = false', cancel: 'cancelled = true, paused = false' }[wish];
    await this.pool.query(`update operations set ${wished} where id::text = $1 and state = 'running'`, [id]);
  }

  /** Gives the runner an operation that nobody works on. */
  async claim(runner: string): Promise<Operation | undefined> {
    const { rows } = await this.pool.query(
      `update operations set runner = $1, updated_at = clock_timestamp()
       where id = (
         select id from operations where state = 'running' and not paused and (runner is null or updated_at < clock_timestamp() - interval '${silence}')
         order by started_at limit 1 for update skip locked)
       returning ${selected}`,
      [runner],
    );
    return rows[0] && operationOf(rows[0]);
  }

  /** Says that the runner lives and how far it is; gives what it should do. */
  async beat(id: string, runner: string, progress: RebuildProgress | undefined): Promise<'go on' | 'pause' | 'cancel' | 'lost'> {
    const { rows } = await this.pool.query(
      `update operations set progress = coalesce($3, progress), updated_at = clock_timestamp() where id = $1 and runner = $2 and state = 'running' returning cancelled, paused`,
      [id, runner, progress ?? null],
    );
    if (!rows[0]) return 'lost';
    if (rows[0].cancelled) return 'cancel';
    return rows[0].paused ? 'pause' : 'go on';
  }

  /** Lets another process have the operation. */
  async release(id: string, runner: string): Promise<void> {
    await this.pool.query(`update operations set runner = null where id = $1 and runner = $2`, [id, runner]);
  }

  /** Notes how the rows differ, before the work goes on or ends. */
  async noteComparison(id: string, runner: string, comparison: ViewComparison): Promise<void> {
    await this.pool.query(`update operations set comparison = $3, updated_at = clock_timestamp() where id = $1 and runner = $2`, [id, runner, comparison]);
  }

  /** Forgets what ended longer ago; of each view the last comparison stays, which its status tells of. */
  async removeEnded(olderThan_days: number): Promise<void> {
    await this.pool.query(
      `delete from operations old where state <> 'running' and updated_at < now() - make_interval(days => $1)
         and not (comparison is not null and not exists (select from operations later where later.view = old.view and later.comparison is not null and (later.updated_at, later.id) > (old.updated_at, old.id)))`,
      [olderThan_days],
    );
  }

  async end(id: string, runner: string, state: 'done' | 'failed' | 'cancelled', error?: { code: string; message: string }): Promise<void> {
    await this.pool.query(`update operations set state = $3, error = $4, updated_at = clock_timestamp() where id = $1 and runner = $2`, [id, runner, state, error ?? null]);
  }
}

function operationOf({ id, kind, view, actor, state, paused, onDifference, progress, comparison, error, startedAt, updatedAt }: any): Operation {
  return {
    name: `operations/${id}`,
    done: state !== 'running',
    metadata: {
      kind, view, actor,
      state: paused && state === 'running' ? 'paused' : state,
      ...(onDifference && { onDifference }),
      startedAt: startedAt.toISOString(),
      updatedAt: updatedAt.toISOString(),
      ...(progress && { progress }),
      ...(comparison && { comparison }),
    },
    ...(error && { error }),
  };
}
