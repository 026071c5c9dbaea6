import type { FeatureSpec } from '../../domain/features/definition.js';
import { int64Of } from '../../domain/features/int64.js';
import { inRange, parseTimeUs, timeFault } from '../../domain/features/times.js';
import type { FeatureType, FeatureValue } from '../../domain/features/values.js';
import { matcherOf } from './patterns.js';

/** Why a value cannot be stored; read as "<field> <sentence>". */
export class Fault {
  constructor(readonly sentence: string) {}
}

/** Brings a given value into the form that is stored, or says why it cannot be. */
export type Check = (raw: unknown) => FeatureValue | Fault;

const longestString = 65_536;
const longestList = 16_384;

const number = new Fault('takes a finite number; NaN and infinities cannot be stored');
const whole = new Fault('takes a whole number of 64 bits; one beyond 2^53 is given as a string of its digits');
const text = new Fault(`takes a string of whole characters, at most ${longestString}`);
const truth = new Fault('takes true or false');
const time = new Fault(timeFault);
const list = new Fault(`takes a list of at most ${longestList} finite numbers`);

/** How a value of each type is read. Times may also be given as whole microseconds since the Unix epoch. */
export const readers: Record<FeatureType, Check> = {
  INT64: (raw) => int64Of(raw) ?? whole,
  // Adding 0 makes -0, which JSON cannot carry, into 0.
  DOUBLE: (raw) => (typeof raw === 'number' && Number.isFinite(raw) ? raw + 0 : number),
  STRING: (raw) => (typeof raw === 'string' && raw.length <= longestString && raw.isWellFormed() ? raw : text),
  BOOL: (raw) => (typeof raw === 'boolean' ? raw : truth),
  TIMESTAMP: (raw) => {
    const timeUs = typeof raw === 'string' ? parseTimeUs(raw) : inRange(raw as number);
    return Number.isNaN(timeUs) ? time : timeUs;
  },
  DOUBLE_LIST: (raw) => (Array.isArray(raw) && raw.length <= longestList && raw.every(Number.isFinite) ? raw.map((element: number) => element + 0) : list),
};

/** The check of a feature: its type, then its constraints. */
export function checkOf({ type, constraints }: FeatureSpec): Check {
  const read = readers[type];
  const demands = demandsOf(constraints);
  if (demands.length === 0) return read;
  return (raw) => {
    const value = read(raw);
    if (value instanceof Fault) return value;
    for (const { holds, fault } of demands) if (!holds(value)) return fault;
    return value;
  };
}

interface Demand {
  readonly holds: (value: any) => boolean;
  readonly fault: Fault;
}

function demandsOf({ min, max, oneOf, pattern, maxLength, dimensions }: FeatureSpec['constraints']): Demand[] {
  const demands: Demand[] = [];
  const demand = (fault: string, holds: Demand['holds']) => demands.push({ holds, fault: new Fault(fault) });
  if (dimensions !== undefined) demand(`takes ${dimensions} numbers`, (value: number[]) => value.length === dimensions);
  if (min !== undefined) demand(`is less than ${min}`, each((value) => value >= min));
  if (max !== undefined) demand(`is greater than ${max}`, each((value) => value <= max));
  if (maxLength !== undefined) demand(`is longer than ${maxLength} characters`, (value: string) => value.length <= maxLength || [...value].length <= maxLength);
  if (oneOf !== undefined) {
    const allowed = new Set(oneOf);
    demand(`is none of ${oneOf.slice(0, 10).join(', ')}${oneOf.length > 10 ? ', …' : ''}`, (value) => allowed.has(String(value)));
  }
  if (pattern !== undefined) demand(`does not match ${pattern}`, matcherOf(pattern));
  return demands;
}

/** For lists every element counts. A whole number that stands as digits compares with all of them. */
const each = (holds: (value: number | bigint) => boolean) => (value: number | string | readonly number[]) =>
  typeof value === 'number' ? holds(value) : typeof value === 'string' ? holds(BigInt(value)) : value.every(holds);
