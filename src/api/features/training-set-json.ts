import { z } from 'zod';
import { parseInput } from '../../commands/kit/validate.js';
import { trainingSetLabels } from '../../commands/training-sets.js';
import { refuseUnstorableText } from '../text.js';
import { historicalInput, historicalQuestionOf, type RequestColumns } from './history-json.js';
import type { SaveRequest } from './training-sets.js';

/** A training set to be saved as JSON says it: its labels beside the question. */
export const saveInput = z.strictObject({ ...trainingSetLabels.shape, ...historicalInput.shape, storeRows: z.boolean().default(false) });

/** Its rows may also come in columns. */
export function saveRequestOf(raw: unknown, columns?: RequestColumns): SaveRequest {
  refuseUnstorableText(columns ? [raw, ...columns.columns] : raw);
  const { project, trainingSet, owner, description, tags, storeRows } = parseInput(saveInput, raw);
  const question = Object.fromEntries(Object.entries(raw as object).filter(([name]) => name in historicalInput.shape));
  return { labels: { project, trainingSet, owner, description, tags }, question: historicalQuestionOf(question, columns), storeRows };
}
