import type { FeatureValue } from '../../values.js';
import { finite, int64, toDouble, type Int64 } from './numbers.js';
import { are, areNumbers, asDouble, isNumber, ofOne, ofTwo, unified, type Rule, type Typed } from './typed.js';

/** A function: how many operands it takes, what kinds, and what it makes of them. */
export interface ExpressionFunction {
  readonly least: number;
  readonly most: number;
  /** For the refusal: `takes a number`. */
  readonly takes: string;
  readonly rule: Rule;
}

const longestText = 65_536;
const dayUs = 86_400_000_000;

/** The functions by name. A Map, because names of JavaScript's own objects must find nothing. */
export const functions: ReadonlyMap<string, ExpressionFunction> = new Map<string, ExpressionFunction>([
  ['abs', number((value: Int64) => (toDouble(value) < 0 ? int64.negate(value) : value), Math.abs)],
  ['sign', number((value: Int64) => Math.sign(toDouble(value)), Math.sign)],
  ['floor', number((value) => value, Math.floor)],
  ['ceil', number((value) => value, Math.ceil)],
  // Halves go away from zero, as in SQL.
  ['round', number((value) => value, (value) => Math.sign(value) * Math.round(Math.abs(value)))],
  ['log', double(Math.log)],
  ['log2', double(Math.log2)],
  ['log10', double(Math.log10)],
  ['log1p', double(Math.log1p)],
  ['exp', double(Math.exp)],
  ['sqrt', double(Math.sqrt)],
  ['sin', double(Math.sin)],
  ['cos', double(Math.cos)],
  ['pow', { least: 2, most: 2, takes: 'two numbers', rule: ([base, power]) => (areNumbers([base!, power!]) ? ofTwo('DOUBLE', asDouble(base!), asDouble(power!), (a, b) => finite(a ** b)) : undefined) }],
  ['min', { least: 2, most: 16, takes: 'numbers', rule: extreme((order) => order < 0) }],
  ['max', { least: 2, most: 16, takes: 'numbers', rule: extreme((order) => order > 0) }],
  ['coalesce', { least: 2, most: 16, takes: 'values of one type', rule: coalesce }],
  ['if', { least: 3, most: 3, takes: 'a condition and two values of one type', rule: choice }],
  ['is_null', { least: 1, most: 1, takes: 'a value', rule: ([value]) => ({ type: 'BOOL', evaluate: (columns, row) => value!.evaluate(columns, row) === null }) }],
  ['int', { least: 1, most: 1, takes: 'a number or a truth', rule: ([value]) => whole(value!) }],
  ['double', { least: 1, most: 1, takes: 'a number or a truth', rule: ([value]) => (isNumber(value!) ? asDouble(value!) : value!.type === 'BOOL' ? ofOne('DOUBLE', value!, Number) : undefined) }],
  ['length', { least: 1, most: 1, takes: 'a text or a list', rule: ([value]) => lengthOf(value!) }],
  ['concat', { least: 2, most: 16, takes: 'texts', rule: concatenated }],
  ['hour', ofTime((timeUs) => Math.floor(modulo(timeUs, dayUs) / 3_600_000_000))],
  // The epoch was a Thursday; Monday is 1 and Sunday 7, as in ISO 8601.
  ['day_of_week', ofTime((timeUs) => modulo(Math.floor(timeUs / dayUs) + 3, 7) + 1)],
]);

/** Of a number, with a result of the same kind. */
function number(whole: (value: Int64) => Int64 | null, double: (value: number) => number): ExpressionFunction {
  return {
    least: 1,
    most: 1,
    takes: 'a number',
    rule: ([value]) => (value!.type === 'INT64' ? ofOne('INT64', value!, whole) : value!.type === 'DOUBLE' ? ofOne('DOUBLE', value!, (given: number) => finite(double(given))) : undefined),
  };
}

/** Of a number as a double; null where there is no finite result. */
function double(compute: (value: number) => number): ExpressionFunction {
  return { least: 1, most: 1, takes: 'a number', rule: ([value]) => (isNumber(value!) ? ofOne('DOUBLE', asDouble(value!), (given: number) => finite(compute(given))) : undefined) };
}

/** Of a moment in UTC. */
function ofTime(compute: (timeUs: number) => number): ExpressionFunction {
  return { least: 1, most: 1, takes: 'a time', rule: ([value]) => (value!.type === 'TIMESTAMP' ? ofOne('INT64', value!, compute) : undefined) };
}

/** Null where any of the numbers is. */
function extreme(wins: (order: number) => boolean): Rule {
  return (operands) => {
    if (!areNumbers(operands)) return undefined;
    const { type, operands: same } = unified(operands)!;
    return same.reduce((best, one) => ofTwo(type as 'INT64' | 'DOUBLE', best, one, (a: Int64, b: Int64) => (wins(int64Order(b, a)) ? b : a)));
  };
}

/** Doubles are ordered as they are; digits stand only for whole numbers. */
const int64Order = (a: Int64, b: Int64): number => (typeof a === 'number' && typeof b === 'number' ? a - b : int64.compare(a, b));

function coalesce(operands: readonly Typed[]): Typed | undefined {
  const same = unified(operands);
  if (same === undefined) return undefined;
  const evaluates = same.operands.map(({ evaluate }) => evaluate);
  return {
    type: same.type,
    evaluate: (columns, row) => {
      for (const evaluate of evaluates) {
        const value = evaluate(columns, row);
        if (value !== null) return value;
      }
      return null;
    },
  };
}

/** A condition that is not known is taken for false, as in SQL's CASE. */
export function choice([condition, ...branches]: readonly Typed[]): Typed | undefined {
  const same = unified(branches);
  if (same === undefined || (condition!.type !== 'BOOL' && condition!.type !== 'NULL')) return undefined;
  const [then, otherwise] = same.operands as [Typed, Typed];
  return { type: same.type, evaluate: (columns, row) => (condition!.evaluate(columns, row) === true ? then : otherwise).evaluate(columns, row) };
}

function whole(value: Typed): Typed | undefined {
  switch (value.type) {
    case 'INT64':
      return value;
    case 'DOUBLE':
      return ofOne('INT64', value, int64.truncate);
    case 'BOOL':
      return ofOne('INT64', value, Number);
    default:
      return undefined;
  }
}

/** The characters of a text as people count them, or the elements of a list. */
function lengthOf(value: Typed): Typed | undefined {
  if (value.type === 'STRING') return ofOne('INT64', value, (text: string) => [...text].length);
  return value.type === 'DOUBLE_LIST' ? ofOne('INT64', value, (list: readonly number[]) => list.length) : undefined;
}

function concatenated(operands: readonly Typed[]): Typed | undefined {
  if (!are(operands, 'STRING')) return undefined;
  return operands.reduce((before, one) => ofTwo('STRING', before, one, (a: string, b: string): FeatureValue | null => (a.length + b.length <= longestText ? a + b : null)));
}

const modulo = (value: number, by: number): number => ((value % by) + by) % by;
