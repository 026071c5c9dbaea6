import type { SavedTrainingSet } from '../../../domain/features/training-sets/state.js';
import { Refusal } from '../../../domain/kit/index.js';
import type { Contents } from '../../../platform/contents.js';
import { formatPosition } from '../../../platform/eventstore/port.js';
import { defaultTimeColumn } from '../history/entity-times.js';
import type { HistoricalAnswer, HistoricalQuestion } from '../history/historical.js';
import type { TrainingSet } from '../history/training-set.js';
import { savedQuestionOf, type EntityRows } from './question.js';
import { RowFileWriter } from './row-file.js';
import { hashOfRows, RowHash } from './row-hash.js';

/** Where rows are kept, each content claimed before it has its name. */
type SetFiles = Pick<Contents, 'has' | 'begin'> & { claim(hash: string): Promise<unknown> };

/** More than fits into one event of the log, of names alone. */
const mostCharacters = 200_000;

/** Keeps the rows that a caller brought; none where the question asks for a range. */
export async function keepEntityRows({ rows }: HistoricalQuestion, contents: SetFiles): Promise<EntityRows | undefined> {
  if (!('columns' in rows)) return undefined;
  const columns = [...rows.columns].map(([name, values]) => ({ name, type: rows.types?.get(name), at: (row: number) => values[row] ?? null }));
  const hash = await hashOfRows(columns.map(({ name }) => name), { rows: rows.rows, columns });
  await contents.claim(hash);
  if (!(await contents.has(hash))) await writeFile(contents, columns, async (writer) => {
    await writer.write({ rows: rows.rows, columns });
    return hash;
  });
  return { hash, rows: rows.rows, timeColumn: rows.timeColumn ?? defaultTimeColumn };
}

/** Reads an answer to its end: hashes its rows, keeps them where that is wanted, and says what is to be recorded. */
export async function saveAnswer(question: HistoricalQuestion, answer: HistoricalAnswer, entityRows: EntityRows | undefined, contents: SetFiles | undefined): Promise<Pick<SavedTrainingSet, 'question' | 'answer'>> {
  const saved = savedQuestionOf(question, answer, entityRows);
  if (JSON.stringify([saved, answer.columns]).length > mostCharacters) throw new Refusal('RESOURCE_EXHAUSTED', 'The question names more than one event of the log can hold; name fewer features', { reason: 'QUESTION_TOO_LARGE' });
  const hash = new RowHash(answer.columns.map(({ name }) => name));
  const counts = { rows: 0, hidden: 0 };
  const read = async (write: (table: TrainingSet) => Promise<void>) => {
    for await (const table of answer.tables) {
      await hash.add(table);
      await write(table);
      counts.rows += table.rows;
      for (let row = 0; row < table.rows; row++) if (table.hidden?.(row)) counts.hidden++;
    }
    return hash.digest();
  };
  const digest = contents ? await writeFile(contents, answer.columns, (writer) => read((table) => writer.write(table))) : await read(async () => undefined);
  return {
    question: saved,
    answer: { rows: counts.rows, columns: answer.columns.map(({ name, type, of }) => ({ name, ...(type && { type }), ...(of && { of }) })), groups: groupsOf(answer), hash: digest, deletionsUpTo: formatPosition(answer.end), hiddenRows: counts.hidden, stored: contents !== undefined },
  };
}

async function writeFile(contents: SetFiles, columns: HistoricalAnswer['columns'], write: (writer: RowFileWriter) => Promise<string>): Promise<string> {
  const file = await contents.begin();
  try {
    const writer = new RowFileWriter(file.path, columns);
    const hash = await write(writer);
    await writer.finish();
    await contents.claim(hash);
    await file.keep(hash);
    return hash;
  } catch (error) {
    await file.abandon();
    throw error;
  }
}

const groupsOf = ({ plan }: HistoricalAnswer): string[] => [...new Set(plan.joins.map(({ definition: { project, group, version } }) => `${project}/${group}@${version}`))];
