import { keyColumns, vectorsOf, type OnlineReply } from '../src/cli/features/online.js';
import { RowStream } from '../src/cli/features/row-stream.js';
import { PlatformRefusal, refused } from '../src/cli/failures.js';
import type { ServiceClient } from '../src/cli/grpc.js';
import type { LocalRun } from '../src/cli/local-run.js';
import { callRest } from '../src/cli/rest.js';
import { table } from '../src/cli/table.js';
import { trainingSetQueries } from '../src/projections/features/training-sets/queries.js';
import { groups, project } from './groups.js';
import { service } from './service.js';
import type { Labels } from './training.js';

const trainingSet = 'delays_2001';
const [airports] = groups;
/** Late rows, each of another airport's history, and by how much they come before a flight: no flight departs at half a minute. */
const lateRows = 200;
const before_us = 90_000_000;
const lateDelay = 999;

/** What is kept of a training set. */
export interface Saved {
  readonly rows: string;
  readonly hash: string;
  readonly knownAt: string;
  /** False when an earlier demo had saved it. */
  readonly changed: boolean;
}

/** Saves the service's vectors for these flights, each as of its departure: the question, its position in the log and a hash of its rows. */
export async function saveTrainingSet(client: ServiceClient, { origin, destination, dateUs }: Labels): Promise<Saved> {
  const question = { project, service, timeColumn: 'departure', columns: [{ name: 'origin', strings: origin }, { name: 'destination', strings: destination }], rowTimeUs: dateUs };
  const { call, reply } = client.requests<object, Saved>('SaveTrainingSet');
  call.end({ trainingSet, description: 'What was known of each flight when it departed', question });
  try {
    return await reply;
  } catch (error) {
    // A demo of more or fewer flights asked something else under this name.
    if (!(error instanceof PlatformRefusal) || error.said.code !== 'ALREADY_EXISTS') throw error;
    const { rows, hash, knownAt } = await client.unary<{ rows: string; hash: string; knownAt: { position: string } }>('GetTrainingSet', { project, trainingSet });
    return { rows, hash, knownAt: knownAt.position, changed: false };
  }
}

/** Writes rows that belong into the past, as if they had been reported late. */
export async function writeLate(client: ServiceClient, { origin, dateUs }: Labels): Promise<number> {
  const at = Array.from({ length: Math.min(lateRows, origin.length) }, (_, n) => Math.floor((n * origin.length) / lateRows));
  const keys = [{ name: 'origin', strings: at.map((row) => origin[row]!) }];
  const features = [{ name: 'delay_min', ints: at.map(() => lateDelay) }, { name: 'distance_mi', ints: at.map(() => 0) }];
  const stream = new RowStream(client);
  const { answer } = await stream.send({ project, group: airports.group, mode: 3, batch: { keys, eventTimeUs: at.map((row) => dateUs[row]! - before_us), features } as never }, `demo-${project}-late-${origin.length}`);
  const { written, refusal } = await answer;
  if (refusal) throw refused(refusal);
  await stream.close();
  return written!.rowsWritten;
}

/** The vector of one flight in the middle, as it was known when the training set was saved and as it is known now. */
export async function knownThenAndNow(client: ServiceClient, { origin, destination, dateUs }: Labels, knownAt: string): Promise<string> {
  const row = Math.floor(origin.length / 2);
  const tuple = [origin[row]!, destination[row]!];
  const keys = keyColumns([{ name: 'origin', type: 'STRING' }, { name: 'destination', type: 'STRING' }], [tuple]);
  const at = { seconds: Math.floor(dateUs[row]! / 1e6), nanos: 0 };
  const known: Record<string, unknown>[] = [];
  for (const [word, moment] of [['then', { position: knownAt }], ['now', undefined]] as const) {
    const reply = await client.unary<OnlineReply>('ReadAsOf', { project, service, keys, at, ...(moment && { knownAt: moment }) });
    const [{ values }] = vectorsOf(reply, 1) as [ReturnType<typeof vectorsOf>[number]];
    known.push({ known: word, flight: tuple.join('-'), ...Object.fromEntries(Object.entries(values).map(([name, { value, status }]) => [name, status === 'PRESENT' ? value : status])) });
  }
  return table(known);
}

/** Asks the saved question again and says whether its rows are the same, to the last bit. */
export async function verifyTrainingSet(connection: LocalRun): Promise<{ rows: number; said: string }> {
  const { http } = trainingSetQueries.find(({ name }) => name === 'VerifyTrainingSet')!;
  const { rows, verdict, said, hash } = (await callRest(connection, http, { project, trainingSet })) as unknown as { rows: number; verdict: string; said: string; hash: string };
  return { rows, said: `${verdict}: ${said}. Its hash is ${hash}.` };
}
