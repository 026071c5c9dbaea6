import { inRange } from '../../times.js';
import { finite, int64, type Int64 } from './numbers.js';
import { are, areNumbers, asDouble, ofOne, ofTwo, unified, type Rule, type Typed } from './typed.js';

/** The operators by their sign and the number of their operands. A Map, because names of JavaScript's own objects must find nothing. */
export const operators: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['+ 1', ([value]) => (areNumbers([value!]) ? value : undefined)],
  ['- 1', ([value]) => arithmeticOfOne(value!)],
  ['! 1', ([value]) => (value!.type === 'BOOL' ? ofOne('BOOL', value!, (truth: boolean) => !truth) : undefined)],
  ['+ 2', arithmetic(int64.add, (a, b) => a + b, (time, micros) => time + micros)],
  ['- 2', (operands) => (are(operands, 'TIMESTAMP') ? ofTwo('INT64', operands[0]!, operands[1]!, int64.subtract) : arithmetic(int64.subtract, (a, b) => a - b, (time, micros) => time - micros)(operands))],
  ['* 2', arithmetic(int64.multiply, (a, b) => a * b)],
  ['/ 2', (operands) => (areNumbers(operands) ? ofTwo('DOUBLE', asDouble(operands[0]!), asDouble(operands[1]!), (a, b) => finite(a / b)) : undefined)],
  ['% 2', arithmetic(int64.remainder, (a, b) => a % b)],
  ['== 2', comparison((order) => order === 0, ['BOOL'])],
  ['!= 2', comparison((order) => order !== 0, ['BOOL'])],
  ['< 2', comparison((order) => order < 0)],
  ['<= 2', comparison((order) => order <= 0)],
  ['> 2', comparison((order) => order > 0)],
  ['>= 2', comparison((order) => order >= 0)],
  ['&& 2', logical(false)],
  ['|| 2', logical(true)],
]);

const arithmeticOfOne = (value: Typed): Typed | undefined =>
  value.type === 'INT64' ? ofOne('INT64', value, int64.negate) : value.type === 'DOUBLE' ? ofOne('DOUBLE', value, (number: number) => 0 - number) : undefined;

/** Whole numbers give whole numbers, exactly; with a double among them it is done in doubles. A time moves by whole microseconds where that makes sense. */
function arithmetic(whole: (a: Int64, b: Int64) => Int64 | null, double: (a: number, b: number) => number, moved?: (timeUs: number, micros: number) => number): Rule {
  return (operands) => {
    const [left, right] = operands as [Typed, Typed];
    if (are(operands, 'INT64')) return ofTwo('INT64', left, right, whole);
    if (areNumbers(operands)) return ofTwo('DOUBLE', asDouble(left), asDouble(right), (a, b) => finite(double(a, b)));
    if (moved === undefined || left.type !== 'TIMESTAMP' || right.type !== 'INT64') return undefined;
    return ofTwo('TIMESTAMP', left, right, (time: number, micros: Int64) => {
      const timeUs = inRange(moved(time, Number(micros)));
      return Number.isNaN(timeUs) ? null : timeUs;
    });
  };
}

/** Numbers with numbers, texts with texts (by their UTF-16 units), times with times; truths only as equal or not. */
function comparison(holds: (order: number) => boolean, also: readonly string[] = []): Rule {
  return (operands) => {
    const same = unified(operands);
    if (same === undefined || same.type === 'NULL' || operands.some(({ type }) => type === 'NULL')) return undefined;
    const [left, right] = same.operands as [Typed, Typed];
    if (same.type === 'INT64') return ofTwo('BOOL', left, right, (a: Int64, b: Int64) => holds(int64.compare(a, b)));
    if (!['DOUBLE', 'STRING', 'TIMESTAMP', ...also].includes(same.type)) return undefined;
    return ofTwo('BOOL', left, right, (a, b) => holds(a < b ? -1 : a > b ? 1 : 0));
  };
}

/** Three-valued, as in SQL: what one operand settles is settled, else null is not known. `settles` is the truth that settles. */
function logical(settles: boolean): Rule {
  return (operands) => {
    if (!operands.every(({ type }) => type === 'BOOL' || type === 'NULL')) return undefined;
    const [left, right] = operands.map(({ evaluate }) => evaluate) as [Typed['evaluate'], Typed['evaluate']];
    return {
      type: 'BOOL',
      evaluate: (columns, row) => {
        const a = left(columns, row);
        if (a === settles) return settles;
        const b = right(columns, row);
        return b === settles ? settles : a === null || b === null ? null : !settles;
      },
    };
  };
}
