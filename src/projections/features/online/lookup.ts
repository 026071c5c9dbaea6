import type { Pool } from 'pg';
import { arrayText } from './array-text.js';

/** Entities to be found: `keys[i]` (encoded) in the group and version that `scopes[i]` stands for. */
export interface Wanted {
  readonly scopes: readonly string[];
  readonly keys: readonly string[];
}

/** What the table holds of an entity: its event time and its values in the group's order of features. */
export type Found = readonly [timeUs: number, values: readonly unknown[]];

interface Waiting extends Wanted {
  readonly done: (found: (Found | undefined)[]) => void;
  readonly failed: (error: unknown) => void;
}

/** So many queries run at once; reads that come meanwhile go together in the next. */
const mostQueries = 4;
/** Reads are put together up to this many entities. */
const mostEntities = 2_000;

// One text instead of a row for each entity: the driver's work for a row costs more than the lookup itself. The
// lateral subquery with its limit makes Postgres go through the index, however it judges the table's size.
const lookUp = {
  name: 'look up online rows',
  text: `select '[' || string_agg('[' || wanted.at - 1 || ',' || held.event_time_us || ',' || held.feature_values || ']', ',') || ']'
    from unnest($2::int[], $3::text[]) with ordinality as wanted(scope, key, at)
    cross join lateral (select event_time_us, feature_values from feature_online where scope = ($1::uuid[])[wanted.scope] and key = wanted.key limit 1) as held`,
  rowMode: 'array' as const,
};

/** Finds the latest rows of entities. Reads of the same moment share a query. */
export class OnlineRows {
  private readonly waiting: Waiting[] = [];
  private running = 0;
  private scheduled = false;

  constructor(private readonly pool: Pool) {}

  /** For each wanted entity what is held of it, in their order. */
  find(wanted: Wanted): Promise<(Found | undefined)[]> {
    if (wanted.keys.length === 0) return Promise.resolve([]);
    return new Promise((done, failed) => {
      this.waiting.push({ ...wanted, done, failed });
      this.schedule();
    });
  }

  /** Waits for the end of the turn of the event loop, in which more reads may have arrived. */
  private schedule(): void {
    if (this.scheduled || this.running >= mostQueries) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      while (this.waiting.length > 0 && this.running < mostQueries) void this.run(this.take());
    });
  }

  private take(): Waiting[] {
    let entities = 0;
    let count = 0;
    while (count < this.waiting.length && (count === 0 || entities + this.waiting[count]!.keys.length <= mostEntities)) entities += this.waiting[count++]!.keys.length;
    return this.waiting.splice(0, count);
  }

  private async run(reads: readonly Waiting[]): Promise<void> {
    this.running++;
    try {
      const found = await this.query(reads);
      let from = 0;
      for (const { keys, done } of reads) done(found.slice(from, (from += keys.length)));
    } catch (error) {
      for (const { failed } of reads) failed(error);
    } finally {
      this.running--;
      if (this.waiting.length > 0) this.schedule();
    }
  }

  private async query(reads: readonly Waiting[]): Promise<(Found | undefined)[]> {
    const scopes = reads.length === 1 ? reads[0]!.scopes : reads.flatMap((read) => read.scopes);
    const keys = reads.length === 1 ? reads[0]!.keys : reads.flatMap((read) => read.keys);
    const distinct = [...new Set(scopes)];
    const places = distinct.length === 1 ? scopes.map(() => 1) : scopes.map((scope) => distinct.indexOf(scope) + 1);
    const { rows } = await this.pool.query({ ...lookUp, values: [`{${distinct}}`, `{${places}}`, arrayText(keys)] });
    const found = new Array<Found | undefined>(keys.length).fill(undefined);
    for (const [at, timeUs, values] of JSON.parse(rows[0]![0] ?? '[]') as [number, number, unknown[]][]) found[at] = [timeUs, values];
    return found;
  }
}
