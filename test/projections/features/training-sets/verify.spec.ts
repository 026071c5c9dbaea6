import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Contents } from '../../../../src/platform/contents.js';
import { connect } from '../../../../src/platform/eventstore/index.js';
import { formatPosition, type EventStore } from '../../../../src/platform/eventstore/port.js';
import type { SavedTrainingSet } from '../../../../src/domain/features/training-sets/state.js';
import { historical, type HistoricalQuestion } from '../../../../src/projections/features/history/historical.js';
import { Replay } from '../../../../src/projections/features/history/replay.js';
import { rowsOf } from '../../../../src/projections/features/training-sets/rows.js';
import { keepEntityRows, saveAnswer } from '../../../../src/projections/features/training-sets/save.js';
import { verify } from '../../../../src/projections/features/training-sets/verify.js';
import { testEventStore } from '../../../support/eventstore.js';
import { declare, remove, write, type Declared } from '../history/group.js';

const cards: Declared = { project: 'p', group: 'cards', keys: { card: 'STRING' }, features: { amount: 'INT64' } };
const [noon, one] = [Date.UTC(2026, 0, 1, 12) * 1000, Date.UTC(2026, 0, 1, 13) * 1000];
let store: Awaited<ReturnType<typeof testEventStore>>;
let eventStore: EventStore;
let folder: string;
let contents: Contents;

beforeAll(async () => {
  store = await testEventStore();
  eventStore = connect(store.url);
  folder = await mkdtemp(join(tmpdir(), 'tarl-verify-'));
  contents = new Contents(folder, '.parquet');
  await declare(eventStore, cards);
  await write(eventStore, cards, [{ key: ['a'], timeUs: noon, values: { amount: 1 } }, { key: ['b'], timeUs: noon, values: { amount: 2 } }]);
});
afterAll(async () => {
  await eventStore.close();
  await store.close();
  await rm(folder, { recursive: true });
});

async function saved(): Promise<SavedTrainingSet> {
  const rows = { rows: 2, timeUs: Float64Array.of(one, one), columns: new Map([['card', ['a', 'b']], ['event_time', [one, one]]]) };
  const question: HistoricalQuestion = { project: 'p', features: ['cards'], aliases: [], fullNames: false, known: {}, rows };
  const answer = await historical(new Replay(eventStore, { cacheBytes: 0 }), question);
  const kept = await keepEntityRows(question, contents);
  return { project: 'p', trainingSet: 't', owner: '', description: '', tags: {}, asked: '', ...(await saveAnswer(question, answer, kept, contents)) };
}

/** The same, as if its log had said other rows when it was saved. */
async function savedOtherwise(amount: number): Promise<SavedTrainingSet> {
  const set = await saved();
  const position = await write(eventStore, cards, [{ key: ['b'], timeUs: noon + 1, values: { amount } }]);
  const text = formatPosition(position);
  return { ...set, question: { ...set.question, knownAt: { position: text } }, answer: { ...set.answer, deletionsUpTo: text } };
}

test('rows that differ for no deletion are told, with the first of them', async () => {
  const found = await verify(await savedOtherwise(77), { eventStore, contents });
  expect(found).toMatchObject({ verdict: 'DIFFERENT', firstDifference: { row: 1, columns: ['amount'], saved: { amount: 2 }, now: { amount: 77 } } });
});

test('a difference beside a deletion is no difference by deletion, and what was deleted is not told', async () => {
  const set = await savedOtherwise(78);
  await remove(eventStore, cards, [['b']]);
  const { verdict, firstDifference } = await verify(set, { eventStore, contents });
  expect(verdict).toBe('DIFFERENT');
  expect(firstDifference).toEqual({ row: 1, columns: ['amount'] });
  const { deletedSince, tables } = await rowsOf(set, new Replay(eventStore, { cacheBytes: 0 }), contents);
  const amounts: unknown[] = [];
  for await (const table of tables) for (let row = 0; row < table.rows; row++) amounts.push(table.columns.at(-1)!.at(row));
  expect({ deletedSince, amounts }).toEqual({ deletedSince: true, amounts: [1, null] });
});
