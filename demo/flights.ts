import { join } from 'node:path';
import { columnOf, type Column } from '../src/cli/features/columns.js';
import { openParquet } from '../src/platform/rows/parquet.js';
import { packageRoot } from '../src/platform/root.js';

/** Three million domestic flights of the United States, January to June 2001, as the Bureau of Transportation Statistics reports them. */
const file = join(packageRoot, 'node_modules/vega-datasets/data/flights-3m.parquet');

/** Some flights in the order of the file, which is that of their dates. */
export interface Flights {
  /** How many flights stand before these in the file. */
  readonly before: number;
  readonly rows: number;
  /** The date and minute of departure; the file has no time of arrival. */
  readonly dateUs: readonly number[];
  /** Minutes. */
  readonly delay: Column;
  /** Miles. */
  readonly distance: Column;
  readonly origin: Column;
  readonly destination: Column;
}

/** How many flights the file holds. */
export const flightCount = async (): Promise<number> => (await openParquet(file)).rows;

/** The first flights of the file, a batch at a time. */
export async function* readFlights(count: number, batchRows: number): AsyncGenerator<Flights> {
  for await (const { first, rows, columns } of (await openParquet(file)).batches(batchRows)) {
    const before = first - 1;
    if (before >= count) return;
    const taken = Math.min(rows, count - before);
    const column = (name: string, type: 'INT64' | 'STRING' | 'TIMESTAMP') => columnOf(name, type, columns.get(name)!.slice(0, taken), { first });
    yield {
      before,
      rows: taken,
      dateUs: column('date', 'TIMESTAMP').timesUs!,
      delay: column('delay', 'INT64'),
      distance: column('distance', 'INT64'),
      origin: column('origin', 'STRING'),
      destination: column('destination', 'STRING'),
    };
  }
}
