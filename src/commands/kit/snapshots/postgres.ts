import { createHash } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import type { Pool } from 'pg';
import type { Aggregate } from '../aggregates.js';
import { foldsVersion } from './folds-version.js';
import type { Snapshots } from './snapshots.js';

const select = 'select checksum, body from stream_snapshots where stream = $1 and folds = $2';
const upsert = `
  insert into stream_snapshots (stream, folds, checksum, body) values ($1, $2, $3, $4)
  on conflict (stream) do update set folds = excluded.folds, checksum = excluded.checksum, body = excluded.body, taken_at = clock_timestamp()`;

/** Keeps folds in Postgres, beside the read models: both can be made again from the log. No command fails for want of it. */
export class PostgresSnapshots implements Snapshots {
  private readonly pending = new Set<Promise<void>>();

  constructor(
    private readonly pool: Pick<Pool, 'query'>,
    private readonly onError: (error: unknown, stream: string) => void,
    private readonly folds: () => string = foldsVersion,
  ) {}

  async find(stream: string): Promise<Aggregate | undefined> {
    try {
      const { rows } = await this.pool.query<{ checksum: Buffer; body: Buffer }>(select, [stream, this.folds()]);
      const [found] = rows;
      if (!found) return undefined;
      if (!this.checksum(stream, found.body).equals(found.checksum)) throw new Error(`The snapshot of ${stream} is not what was written`);
      return deserialize(found.body) as Aggregate;
    } catch (error) {
      this.onError(error, stream);
      return undefined;
    }
  }

  keep(stream: string, aggregate: Aggregate): void {
    this.inBackground(stream, async () => {
      const body = serialize(aggregate);
      await this.pool.query(upsert, [stream, this.folds(), this.checksum(stream, body), body]);
    });
  }

  forget(stream: string): void {
    this.inBackground(stream, async () => void (await this.pool.query('delete from stream_snapshots where stream = $1', [stream])));
  }

  /** Resolves when everything asked for until now is written or has failed. */
  async settled(): Promise<void> {
    await Promise.all(this.pending);
  }

  private inBackground(stream: string, work: () => Promise<void>): void {
    const tracked = work()
      .catch((error) => this.onError(error, stream))
      .finally(() => this.pending.delete(tracked));
    this.pending.add(tracked);
  }

  private checksum(stream: string, body: Uint8Array): Buffer {
    return createHash('sha256').update(`${stream}\n${this.folds()}\n`).update(body).digest();
  }
}
