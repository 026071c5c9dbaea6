import { createHash } from 'node:crypto';
import type { SavedQuestion } from '../../../domain/features/training-sets/events.js';
import type { SavedTrainingSet } from '../../../domain/features/training-sets/state.js';
import { inRange, parseTimeUs } from '../../../domain/features/times.js';
import type { FeatureType } from '../../../domain/features/values.js';
import { canonicalJson, Refusal } from '../../../domain/kit/index.js';
import type { Contents } from '../../../platform/contents.js';
import { formatPosition, parsePosition, type Position } from '../../../platform/eventstore/port.js';
import type { HistoricalAnswer, HistoricalQuestion } from '../history/historical.js';
import type { RequestTable } from '../history/request-table.js';
import { readRowFile } from './row-file.js';

/** The rows that a caller brought, as they are kept. */
export type EntityRows = NonNullable<SavedQuestion['entityRows']>;

/** A hash of the question as the caller put it: the same for a repeat, whatever the log holds by then. */
export function askedHash({ rows, known, ...question }: HistoricalQuestion, entityRows: EntityRows | undefined, stored: boolean): string {
  const { features, service = '', fullNames, aliases } = question;
  const knownAt = { ...known, ...(known.position && { position: formatPosition(known.position) }), rowTime: known.rowTime === true };
  const range = 'columns' in rows ? undefined : { startUs: rows.startUs, endUs: rows.endUs };
  return createHash('sha256').update(canonicalJson({ features, service, fullNames, aliases, knownAt, range, entityRows, stored })).digest('hex');
}

/** The question with all that was decided when it was answered. */
export function savedQuestionOf({ aliases, service }: HistoricalQuestion, { known, selection, range }: HistoricalAnswer, entityRows: EntityRows | undefined): SavedQuestion {
  return {
    features: [...selection.features],
    ...(service && { service }),
    fullNames: selection.fullNames,
    aliases: aliases.map(({ alias, group, keyColumns }) => ({ alias, group, keyColumns: { ...keyColumns } })),
    knownAt: { position: formatPosition(known.position), ...(known.timeUs !== undefined && { timeUs: known.timeUs }), ...(known.rowTime && { rowTime: true }) },
    ...(entityRows && { entityRows }),
    ...(range && { range: { startUs: range.startUs, endUs: range.endUs } }),
  };
}

/** The saved question to be asked again, with the rows that its caller brought. */
export async function questionOf({ project, question }: Pick<SavedTrainingSet, 'project' | 'question'>, contents: Contents, deletionsUpTo?: Position): Promise<HistoricalQuestion> {
  const { features, fullNames, aliases, knownAt, entityRows, range } = question;
  const known = { position: parsePosition(knownAt.position), timeUs: knownAt.timeUs, rowTime: knownAt.rowTime };
  return { project, features, fullNames, aliases, known, deletionsUpTo, rows: entityRows ? await readEntityRows(contents, entityRows) : range! };
}

/** The rows that the caller brought; refuses where their file has gone from its folder. */
async function readEntityRows(contents: Contents, { hash, rows, timeColumn }: EntityRows): Promise<RequestTable> {
  if (!(await contents.has(hash))) throw new Refusal('FAILED_PRECONDITION', `The entity rows ${hash} are no longer in the folder of training sets`, { reason: 'ENTITY_ROWS_MISSING', metadata: { hash } });
  const columns = new Map<string, unknown[]>();
  const types = new Map<string, FeatureType>();
  for await (const table of readRowFile(contents.pathOf(hash))) {
    for (const { name, type, at } of table.columns) {
      const values = columns.get(name) ?? [];
      for (let row = 0; row < table.rows; row++) values.push(at(row));
      columns.set(name, values);
      if (type) types.set(name, type);
    }
  }
  const timeUs = Float64Array.from(columns.get(timeColumn) ?? [], timeOf);
  return { rows, timeUs, columns, timeColumn, types };
}

/** Times stand in their column as the caller wrote them: ISO 8601, or microseconds. */
const timeOf = (given: unknown): number => (typeof given === 'string' ? parseTimeUs(given) : inRange(given as number));
