import type { Pool } from 'pg';
import { textsInArray } from './array-text.js';
import { noRow, PackedRows } from './packed-row.js';

/** Entities to be found, by their encoded keys, in the group and version that the scope stands for. */
export interface Wanted {
  readonly scope: string;
  readonly keys: readonly string[];
}


interface Waiting {
  readonly wanted: readonly Wanted[];
  readonly entities: number;
  readonly done: (found: PackedRows) => void;
  readonly failed: (error: unknown) => void;
}

/** So many queries run at once; reads that come meanwhile go together in the next. */
const mostQueries = 4;
/** Reads are put together up to this many entities. */
const mostEntities = 2_000;

// One text instead of a row for each entity: the driver's work for a row costs more than the lookup itself. The hash
// finds the row; the comparison behind it is written so that the primary key cannot serve it, which takes longer.
const lookUp = {
  name: 'look up online rows',
  text: `select string_agg(coalesce(held.feature_values, '${noRow}'), '' order by wanted.at)
    from unnest($2::int[], $3::text[]) with ordinality as wanted(scope, key, at)
    left join lateral (
      select feature_values from feature_online as row
      where hashtextextended(row.key, uuid_hash_extended(row.scope, 0)) = hashtextextended(wanted.key, uuid_hash_extended(($1::uuid[])[wanted.scope], 0))
        and (row.scope, row.key) is not distinct from (($1::uuid[])[wanted.scope], wanted.key)
      limit 1
    ) as held on true`,
  rowMode: 'array' as const,
};

/** Finds the latest rows of entities: of those wanted, in their order, one scope after another. Reads of the same moment share a query. */
export class OnlineRows {
  private readonly waiting: Waiting[] = [];
  private running = 0;
  private scheduled = false;

  constructor(private readonly pool: Pool) {}

  find(wanted: readonly Wanted[]): Promise<PackedRows> {
    const entities = wanted.reduce((sum, { keys }) => sum + keys.length, 0);
    if (entities === 0) return Promise.resolve(PackedRows.of(''));
    return new Promise((done, failed) => {
      this.waiting.push({ wanted, entities, done, failed });
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
    while (count < this.waiting.length && (count === 0 || entities + this.waiting[count]!.entities <= mostEntities)) entities += this.waiting[count++]!.entities;
    return this.waiting.splice(0, count);
  }

  private async run(reads: readonly Waiting[]): Promise<void> {
    this.running++;
    try {
      const found = await this.query(reads);
      for (const { entities, done } of reads) done(reads.length === 1 ? found : found.take(entities));
    } catch (error) {
      for (const { failed } of reads) failed(error);
    } finally {
      this.running--;
      if (this.waiting.length > 0) this.schedule();
    }
  }

  private async query(reads: readonly Waiting[]): Promise<PackedRows> {
    const wanted = reads.flatMap((read) => read.wanted).filter(({ keys }) => keys.length > 0);
    const scopes = wanted.map(({ scope }) => scope);
    const places = wanted.map(({ keys }, at) => `${at + 1},`.repeat(keys.length)).join('').slice(0, -1);
    const { rows } = await this.pool.query<[string]>({ ...lookUp, values: [`{${scopes}}`, `{${places}}`, `{${textsOf(wanted)}}`] });
    // An old object of the driver's (a function that is assigned to a property) holds the result until the next collection of
    // old objects, and with it the text, which would become old too.
    return PackedRows.of(rows.pop()![0]);
  }
}

/** All keys as they stand in an array; groups that are asked for the same entities share their list, which is put into words once. */
function textsOf(wanted: readonly Wanted[]): string {
  const known = new Map<readonly string[], string>();
  return wanted.map(({ keys }) => {
    let texts = known.get(keys);
    if (texts === undefined) known.set(keys, (texts = textsInArray(keys)));
    return texts;
  }).join();
}
