import { RowStream, type WriteAnswer } from '../src/cli/features/row-stream.js';
import { refused } from '../src/cli/failures.js';
import type { ServiceClient } from '../src/cli/grpc.js';
import { progress, whole } from '../src/cli/progress.js';
import { readFlights, type Flights } from './flights.js';
import { groups, project, type Group } from './groups.js';

const batchRows = 10_000;
const mostUnderWay = 4;

/** What the platform acknowledged. */
export interface Written {
  readonly rows: number;
  /** The position of the last event. */
  readonly position: string;
  /** Rows that an earlier demo had written: their requests were recognised, and nothing was stored twice. */
  readonly recognised: number;
}

/** Writes each flight to both groups, over one stream a group. `endBefore` is where the log ended before. */
export async function writeFlights(client: ServiceClient, count: number, endBefore: string): Promise<Written> {
  const bar = progress('Writing', count * groups.length, 'rows');
  const total = { rows: 0, position: endBefore, recognised: 0 };
  const writers = groups.map((group) => new GroupWriter(client, group, ({ rowsWritten, position }) => {
    total.rows += rowsWritten;
    if (!isAfter(position, endBefore)) total.recognised += rowsWritten;
    if (isAfter(position, total.position)) total.position = position;
    bar.update(total.rows, `${whole.format(total.rows)} rows`);
  }));
  try {
    for await (const flights of readFlights(count, batchRows)) await Promise.all(writers.map((writer) => writer.write(flights)));
    await Promise.all(writers.map((writer) => writer.finish()));
  } finally {
    bar.stop();
  }
  return total;
}

type Acknowledged = NonNullable<WriteAnswer['written']>;

/** One stream with a few requests under way. */
class GroupWriter {
  private readonly stream: RowStream;
  private readonly underWay: Promise<WriteAnswer>[] = [];

  constructor(client: ServiceClient, private readonly group: Group, private readonly acknowledged: (written: Acknowledged) => void) {
    this.stream = new RowStream(client);
  }

  async write(flights: Flights): Promise<void> {
    if (this.underWay.length >= mostUnderWay) await this.takeAnswer();
    const { group, batchOf } = this.group;
    // The same flights always go under the same id, so that a second demo stores nothing twice.
    const requestId = `demo-${project}-${group}-${flights.before}-${flights.rows}`;
    const { answer } = await this.stream.send({ project, group, mode: 3, batch: batchOf(flights) }, requestId);
    this.underWay.push(answer);
  }

  async finish(): Promise<void> {
    while (this.underWay.length > 0) await this.takeAnswer();
    await this.stream.close();
  }

  private async takeAnswer(): Promise<void> {
    const { written, refusal } = await this.underWay.shift()!;
    if (refusal) throw refused(refusal);
    this.acknowledged(written!);
  }
}

/** Positions are one number, or two with a slash between them of which the first counts here. */
const isAfter = (position: string, other: string): boolean => commitOf(position) > commitOf(other);
const commitOf = (position: string): bigint => BigInt(position.split('/')[0] || '0');
