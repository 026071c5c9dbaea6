import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readerOf } from '../src/cli/features/answers.js';
import { askHistorical } from '../src/cli/features/historical-call.js';
import { knownAtText, type KnownAtMessage } from '../src/cli/features/known-at.js';
import type { ServiceClient } from '../src/cli/grpc.js';
import { openSink, type OutColumn } from '../src/cli/rows/sink.js';
import { table } from '../src/cli/table.js';
import { readFlights } from './flights.js';
import { groups, project } from './groups.js';

/**
 * A row asks for what was known just before its own departure: a flight's delay is what a model would learn to foresee,
 * so neither the flight's own row nor another's of the same minute may stand beside it.
 */
const before_us = 1000;
const shown = 5;

/** Flights spread evenly over those written. */
export interface Labels {
  readonly origin: string[];
  readonly destination: string[];
  readonly dateUs: number[];
  /** The flight's own delay, which is to be foreseen. */
  readonly delay: number[];
}

/** Takes flights at equal distances from the first of the file. */
export async function sampleFlights(count: number, wanted: number): Promise<Labels> {
  const labels: Labels = { origin: [], destination: [], dateUs: [], delay: [] };
  const distance = Math.max(1, count / wanted);
  for await (const { before, rows, dateUs, ...columns } of readFlights(count, 100_000)) {
    const [origin, destination, delay] = [columns.origin, columns.destination, columns.delay].map(readerOf) as [(row: number) => string, (row: number) => string, (row: number) => number];
    for (;;) {
      const row = Math.floor(labels.delay.length * distance) - before;
      if (row >= rows || labels.delay.length >= wanted) break;
      labels.origin.push(origin(row));
      labels.destination.push(destination(row));
      labels.dateUs.push(dateUs[row]!);
      labels.delay.push(delay(row));
    }
  }
  return labels;
}

/** What came back: every row in the file, and a few for the eye. */
export interface TrainingSet {
  readonly rows: number;
  readonly sample: string;
  readonly knownAt: string;
}

/** Asks for the features of both groups as they were before each flight, by replay of the log, and writes them with the labels to a file. */
export async function buildTrainingSet(client: ServiceClient, { origin, destination, dateUs, delay }: Labels, out: string): Promise<TrainingSet> {
  await mkdir(dirname(out), { recursive: true });
  const sink = await openSink(out);
  const question = { project, features: groups.map(({ group }) => group), fullNames: true, timeColumn: 'just_before' };
  const moments = { columns: [{ name: 'origin', strings: origin }, { name: 'destination', strings: destination }], rowTimeUs: dateUs.map((us) => us - before_us) };
  let done = 0;
  let sample: Record<string, unknown>[] = [];
  let known: KnownAtMessage = {};
  try {
    for await (const { rows, columns, knownAt } of askHistorical(client, question, once(moments))) {
      const from = done;
      const label: OutColumn = { name: 'delay_to_foresee_min', at: (row) => delay[from + row] };
      const all = [...columns, label];
      await sink.write(all, rows);
      // The last rows have the most history behind them.
      sample = Array.from({ length: Math.min(shown, rows) }, (_, at) => Object.fromEntries(all.map((column) => [column.name, column.at(rows - 1 - at)])));
      done += rows;
      known = knownAt;
    }
    await sink.close();
  } catch (error) {
    await sink.abandon();
    throw error;
  }
  return { rows: done, sample: table(sample), knownAt: knownAtText(known) };
}

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value;
}
