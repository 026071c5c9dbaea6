import type { Pool } from 'pg';
import { Refusal } from '../../../domain/kit/index.js';
import type { RefusedRow } from './refused-row.js';

/** How long refused rows are kept, and how much of them a project may have. */
export interface QuarantineLimits {
  readonly days: number;
  readonly bytesOfProject: number;
}

/** A single row larger than this is not kept; the write that brings it is refused as a whole. */
const mostBytesOfRow = 1024 * 1024;
/** So long a project's size is taken to have grown only by what this process added. */
const freshForMs = 5_000;

interface Size {
  bytes: number;
  readonly at: number;
}

/** The refused rows that wait to be mended: a table beside the log, because a row may hold what must not be kept for ever. */
export class Quarantine {
  private readonly sizes = new Map<string, Size>();

  constructor(
    private readonly pool: Pool,
    private readonly limits: QuarantineLimits,
  ) {}

  /** Keeps rows of one project; those that are there already stay as they are. Refuses all of them when they are too large. */
  async keep(rows: readonly RefusedRow[], actor: string): Promise<void> {
    if (rows.length === 0) return;
    const { project } = rows[0]!;
    const texts = rows.map(({ row }) => JSON.stringify(row));
    const sizes = texts.map((text, at) => Buffer.byteLength(text) + JSON.stringify(rows[at]!.faults).length);
    const large = sizes.findIndex((bytes) => bytes > mostBytesOfRow);
    if (large >= 0) throw new Refusal('RESOURCE_EXHAUSTED', `A refused row is larger than the ${mostBytesOfRow} bytes that the quarantine keeps of one`, { reason: 'ROW_TOO_LARGE_FOR_QUARANTINE', metadata: { source: rows[large]!.source } });
    await this.reserve(project, sizes.reduce((sum, bytes) => sum + bytes, 0));
    const columns = [
      rows.map(({ id }) => id), rows.map(({ group }) => group), rows.map(({ version }) => version ?? null), rows.map(({ mode }) => mode), texts,
      rows.map(({ faults }) => JSON.stringify(faults)), rows.map(({ faults: [first] }) => first!.field), rows.map(({ faults: [first] }) => `${first!.field} ${first!.description}`),
      rows.map(({ source }) => source), sizes,
    ];
    await this.pool.query(
      `insert into feature_quarantine (project, refused_by, refused_at, expires_at, id, "group", version, mode, "row", faults, field, reason, source, bytes)
      select $1, $2, now(), now() + $3 * interval '1 day', * from unnest($4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::jsonb[], $10::text[], $11::text[], $12::text[], $13::int[])
      on conflict (id) do nothing`,
      [project, actor, this.limits.days, ...columns],
    );
  }

  /** A row, while it waits. */
  async find(project: string, id: string): Promise<RefusedRow | undefined> {
    const { rows } = await this.pool.query(`select "group", version::float8, mode, "row", faults, source from feature_quarantine where project = $1 and id = $2 and expires_at > now()`, [project, id]);
    if (rows.length === 0) return undefined;
    const { version, row, ...rest } = rows[0];
    return { id, project, ...rest, ...(version !== null && { version }), row: JSON.parse(row) };
  }

  /** Those of the ids that wait. */
  async present(project: string, ids: readonly string[]): Promise<string[]> {
    const { rows } = await this.pool.query('select id from feature_quarantine where project = $1 and id = any($2) and expires_at > now()', [project, ids]);
    return rows.map(({ id }) => id);
  }

  /** Forgets rows, and gives how many of them there were. */
  async remove(project: string, ids: readonly string[]): Promise<number> {
    this.sizes.delete(project);
    return (await this.pool.query('delete from feature_quarantine where project = $1 and id = any($2)', [project, ids])).rowCount ?? 0;
  }

  /** Forgets the rows whose time is up. */
  async clearExpired(): Promise<void> {
    await this.pool.query('delete from feature_quarantine where expires_at <= now()');
    this.sizes.clear();
  }

  private async reserve(project: string, bytes: number): Promise<void> {
    let size = this.sizes.get(project);
    if (!size || Date.now() - size.at > freshForMs) {
      const { rows } = await this.pool.query('select coalesce(sum(bytes), 0)::float8 as bytes from feature_quarantine where project = $1', [project]);
      this.sizes.set(project, (size = { bytes: rows[0].bytes, at: Date.now() }));
    }
    if (size.bytes + bytes > this.limits.bytesOfProject) {
      throw new Refusal('RESOURCE_EXHAUSTED', `The quarantine of project ${project} is full: mend or discard rows first, or write without it`, { reason: 'QUARANTINE_FULL', metadata: { bytes: String(size.bytes), mostBytes: String(this.limits.bytesOfProject) } });
    }
    size.bytes += bytes;
  }
}
