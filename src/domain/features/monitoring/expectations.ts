import { z } from 'zod';
import { resourceName } from '../../kit/index.js';
import type { FeatureType } from '../values.js';

export const expectationKinds = ['NULL_RATE', 'RANGE', 'ROW_COUNT', 'FRESHNESS'] as const;

/** What becomes of rows that break an expectation. */
export const expectationModes = ['REPORT', 'REFUSE'] as const;

const bound = z.number().min(-1e300).max(1e300);

/** Something that a group's rows are expected to fulfil. */
export const expectation = z
  .object({
    name: resourceName,
    kind: z.enum(expectationKinds).meta({ id: 'ExpectationKind' }),
    feature: resourceName.optional().describe('Which feature; NULL_RATE and RANGE are of one.'),
    min: bound.optional().describe('RANGE: the smallest value. ROW_COUNT: how many rows a window has at least.'),
    max: bound.optional().describe('RANGE: the largest value. NULL_RATE: the largest share of nulls. FRESHNESS: how many seconds before the end of a window its latest row lies at most.'),
    share: z.number().gt(0).max(1).default(1).describe('RANGE: the share of the values that lie in it at least.'),
    leastRows: z.int().min(1).max(1_000_000).default(1).describe('Fewer rows than this are not judged.'),
    mode: z.enum(expectationModes).meta({ id: 'ExpectationMode' }).default('REPORT').describe('REFUSE refuses a write that breaks it.'),
  })
  .superRefine(({ kind, feature, min, max, share, mode }, context) => {
    const refuse = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message });
    const ofFeature = kind === 'NULL_RATE' || kind === 'RANGE';
    if (ofFeature && feature === undefined) refuse('feature', `is needed for ${kind}`);
    if (!ofFeature && feature !== undefined) refuse('feature', `does not apply to ${kind}`);
    if (!ofFeature && mode === 'REFUSE') refuse('mode', `cannot be REFUSE for ${kind}, which is of windows and not of writes`);
    if (kind !== 'RANGE' && share !== 1) refuse('share', `does not apply to ${kind}`);
    switch (kind) {
      case 'NULL_RATE':
        if (max === undefined || max < 0 || max >= 1) refuse('max', 'takes a share from 0 to less than 1');
        if (min !== undefined) refuse('min', 'does not apply to NULL_RATE');
        break;
      case 'RANGE':
        if (min === undefined && max === undefined) refuse('min', 'or max is needed for RANGE');
        if (min !== undefined && max !== undefined && min > max) refuse('min', 'is greater than max');
        break;
      case 'ROW_COUNT':
        if (min === undefined || min < 1) refuse('min', 'takes a number of rows from 1');
        if (max !== undefined) refuse('max', 'does not apply to ROW_COUNT');
        break;
      case 'FRESHNESS':
        if (max === undefined || max <= 0) refuse('max', 'takes a number of seconds');
        if (min !== undefined) refuse('min', 'does not apply to FRESHNESS');
    }
  })
  .meta({ id: 'Expectation' });
export type Expectation = z.output<typeof expectation>;

/** Which types a range can be of. */
export const rangeTypes: readonly FeatureType[] = ['INT64', 'DOUBLE', 'TIMESTAMP'];

/** What an expectation found. */
export const expectationFinding = z
  .object({
    expectation: z.string(),
    kind: z.enum(expectationKinds).meta({ id: 'ExpectationKind' }),
    feature: z.string().nullable(),
    holds: z.boolean(),
    observed: z.number().nullable().describe('The share, the number of rows or the seconds that were found.'),
    limit: z.number().describe('What it was compared with.'),
    rows: z.int().describe('Of how many rows.'),
    broken: z.int().describe('How many of them break it, where single rows can.'),
    reason: z.string(),
  })
  .meta({ id: 'ExpectationFinding' });
export type ExpectationFinding = z.output<typeof expectationFinding>;

/** Rows to be judged: a batch of a write, or a window. */
export interface JudgedRows {
  /** How many there are. */
  readonly rows: number;
  /** The values of a feature, null for none; undefined for a feature that the rows cannot have. */
  valuesOf(feature: string): readonly unknown[] | undefined;
  /** Of a window: its end and its latest event time, in microseconds; undefined for a batch. */
  readonly window?: { readonly endUs: number; readonly latestUs: number };
}

/** Judges rows; undefined where the expectation says nothing of such rows. */
export function judge(expected: Expectation, judged: JudgedRows): ExpectationFinding | undefined {
  const { kind, name, feature } = expected;
  const about = { expectation: name, kind, feature: feature ?? null, rows: judged.rows };
  if (kind === 'ROW_COUNT') return judged.window && { ...about, ...rowCount(expected, judged.rows) };
  if (judged.rows < expected.leastRows && judged.rows > 0) return undefined;
  if (kind === 'FRESHNESS') return judged.window && { ...about, ...freshness(expected, judged.window) };
  const values = judged.valuesOf(feature!);
  if (values === undefined || values.length === 0) return undefined;
  return { ...about, rows: values.length, ...(kind === 'NULL_RATE' ? nullRate(expected, values) : range(expected, values)) };
}

type Found = Pick<ExpectationFinding, 'holds' | 'observed' | 'limit' | 'broken' | 'reason'>;

function rowCount({ min }: Expectation, rows: number): Found {
  return { holds: rows >= min!, observed: rows, limit: min!, broken: 0, reason: `The window has ${rows} rows; at least ${min} are expected` };
}

function freshness({ max }: Expectation, { endUs, latestUs }: NonNullable<JudgedRows['window']>): Found {
  if (!Number.isFinite(latestUs)) return { holds: false, observed: null, limit: max!, broken: 0, reason: `The window has no rows; the latest is expected at most ${max} seconds before its end` };
  const seconds = (endUs - latestUs) / 1_000_000;
  return { holds: seconds <= max!, observed: seconds, limit: max!, broken: 0, reason: `The latest row lies ${seconds} seconds before the end; at most ${max} are expected` };
}

function nullRate({ feature, max }: Expectation, values: readonly unknown[]): Found {
  const broken = values.filter((value) => value === null || value === undefined).length;
  const observed = broken / values.length;
  return { holds: observed <= max!, observed, limit: max!, broken, reason: `${broken} of ${values.length} values of ${feature} are null; at most ${percent(max!)} are expected` };
}

function range({ feature, min = -Infinity, max = Infinity, share }: Expectation, values: readonly unknown[]): Found {
  const present = values.filter((value) => value !== null && value !== undefined).map(Number);
  const broken = present.filter((value) => value < min || value > max).length;
  const observed = present.length === 0 ? 1 : (present.length - broken) / present.length;
  const stretch = min === -Infinity ? `at most ${max}` : max === Infinity ? `at least ${min}` : `from ${min} to ${max}`;
  return { holds: observed >= share, observed, limit: share, broken, reason: `${broken} of ${present.length} values of ${feature} are not ${stretch}; ${share === 1 ? 'all' : `at least ${percent(share)}`} are expected to be` };
}

const percent = (share: number): string => `${Number((share * 100).toPrecision(6))} %`;
