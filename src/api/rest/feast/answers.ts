import { formatTimeUs } from '../../../domain/features/times.js';
import type { FeatureType, FeatureValue } from '../../../domain/features/values.js';
import type { OnlineAnswer, OnlineRequest } from '../../../projections/features/online/read.js';
import { featureStatuses } from '../../../projections/features/online/status.js';
import { failureOf, type Failure } from '../../errors.js';
import { httpStatusOf, restError } from '../problem.js';

/** One column of the answer of Feast's server. */
interface FeastColumn {
  readonly values: readonly unknown[];
  readonly statuses: readonly string[];
  readonly event_timestamps: readonly string[];
}

/** The JSON of Feast's `GetOnlineFeaturesResponse`: the keys of the entities first, then the features, a column each. */
export function onlineAnswerText({ keys }: OnlineRequest, { entities, features, groups }: OnlineAnswer): string {
  const timesOf = new Map(groups.map(({ group, timeUs }) => [group, Array.from(timeUs, timestamp)]));
  const noTimes = new Array<string>(entities).fill(timestamp(0));
  const own = [...keys.values()].map((values): FeastColumn => ({ values: values.map(given), statuses: new Array<string>(entities).fill('PRESENT'), event_timestamps: noTimes }));
  const read = features.map(({ group, type, values, statuses }): FeastColumn => ({
    values: Array.from<FeatureValue | null, unknown>(values, (value) => shown(value, type)),
    statuses: Array.from(statuses, (status) => featureStatuses[status]!),
    // What a transformation computes is of no single time.
    event_timestamps: timesOf.get(group) ?? noTimes,
  }));
  return JSON.stringify({ metadata: { feature_names: [...keys.keys(), ...features.map(({ name }) => name)] }, results: [...own, ...read] });
}

/** A key as the client gave it. */
const given = (value: unknown): unknown => (typeof value === 'bigint' ? raw(String(value)) : value);

/** Whole seconds without a fraction, as protobuf writes a Timestamp. */
const timestamp = (us: number): string => formatTimeUs(us).replace('.000Z', 'Z');

/** A value as Feast's server writes it: whole numbers of 64 bits as numbers, doubles with a point, times in seconds. */
function shown(value: FeatureValue | null, type: FeatureType): unknown {
  if (value === null) return null;
  switch (type) {
    case 'INT64':
      return raw(String(value));
    case 'DOUBLE':
      return double(value as number);
    case 'TIMESTAMP':
      return Math.floor((value as number) / 1_000_000);
    case 'DOUBLE_LIST':
      return (value as readonly number[]).map(double);
    default:
      return value;
  }
}

/** Python tells whole numbers and doubles apart by the point. */
const double = (value: number): unknown => (Number.isInteger(value) && Math.abs(value) < 1e21 ? raw(`${value}.0`) : value);

/** Digits as they stand, which a double could not hold. */
const raw = (digits: string): unknown => (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(digits);

/** A failure as Feast's server tells it: its status, and the error's class and message, from which a Feast client makes the same exception. */
export function feastError(error: unknown, pushed: boolean): { status: number; text: string } {
  const failure = failureOf(restError(error));
  const { status, name } = classOf(failure, pushed);
  return { status, text: JSON.stringify(JSON.stringify({ module: 'feast.errors', class: name, message: failure.message })) };
}

function classOf(failure: Failure, pushed: boolean): { status: number; name: string } {
  switch (failure.code) {
    case 'NOT_FOUND':
      if (pushed) return { status: 422, name: 'PushSourceNotFoundException' };
      return { status: 404, name: failure.reason?.includes('SERVICE') ? 'FeatureServiceNotFoundException' : 'FeatureViewNotFoundException' };
    case 'PERMISSION_DENIED':
      return { status: 403, name: 'FeastPermissionError' };
    case 'INVALID_ARGUMENT':
      return { status: 422, name: 'FeastError' };
    default:
      return { status: httpStatusOf(failure), name: 'FeastError' };
  }
}
