import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compileExpression } from '../../../../src/domain/features/transformations/expressions/compile.js';
import { ExpressionFault } from '../../../../src/domain/features/transformations/expressions/parse.js';
import type { FeatureType, FeatureValue } from '../../../../src/domain/features/values.js';

const types: Record<string, FeatureType> = { i: 'INT64', j: 'INT64', d: 'DOUBLE', e: 'DOUBLE', s: 'STRING', t: 'STRING', b: 'BOOL', c: 'BOOL', at: 'TIMESTAMP', later: 'TIMESTAMP', list: 'DOUBLE_LIST' };
const names = new Map(Object.entries(types).map(([name, type], place) => [name, { type, place }]));

type Row = Record<string, FeatureValue | null>;
const of = (expression: string, row: Row = {}) => compileExpression(expression, names).evaluate(Object.keys(types).map((name) => [row[name] ?? null]), 0);
const typeOf = (expression: string) => compileExpression(expression, names).type;
function faultOf(expression: string): string {
  try {
    compileExpression(expression, names);
  } catch (error) {
    if (error instanceof ExpressionFault) return error.message;
    throw error;
  }
  return 'no fault';
}

const big = '9223372036854775807';

describe('an expression', () => {
  test.each<[string, Row, FeatureValue | null]>([
    // Whole numbers are exact to 64 bits, and null beyond.
    ['i + j', { i: 2, j: 3 }, 5],
    ['i + j', { i: 9007199254740991, j: 1 }, '9007199254740992'],
    ['i + j', { i: big, j: 1 }, null],
    ['i * j', { i: 4294967296, j: 4294967296 }, null],
    ['i * j', { i: 3037000500, j: 3037000499 }, '9223372033963249500'],
    ['i - j', { i: '9007199254740993', j: 2 }, 9007199254740991],
    ['-i', { i: '-9223372036854775808' }, null],
    ['abs(i)', { i: '-9223372036854775808' }, null],
    ['i % j', { i: -7, j: 3 }, -1],
    ['i % j', { i: 7, j: 0 }, null],
    // A quotient is always a double; dividing by zero gives null.
    ['i / j', { i: 7, j: 2 }, 3.5],
    ['i / j', { i: 7, j: 0 }, null],
    ['d / e', { d: 0, e: 0 }, null],
    ['d % e', { d: 7.5, e: 2 }, 1.5],
    // Doubles are finite or null; there is no -0.
    ['d * e', { d: 1e300, e: 1e300 }, null],
    ['exp(d)', { d: 1000 }, null],
    ['log(d)', { d: 0 }, null],
    ['sqrt(d)', { d: -1 }, null],
    ['pow(d, e)', { d: -8, e: 1 / 3 }, null],
    ['-d', { d: 0 }, 0],
    ['i + d', { i: big, d: 0 }, 9223372036854775808],
    // Null in, null out.
    ['i + j', { i: 1 }, null],
    ['max(i, j)', { i: 1 }, null],
    ['d > e', { d: 1 }, null],
    ['i == j', {}, null],
    ['coalesce(i, j, 7)', {}, 7],
    ['coalesce(i, d)', { i: 3 }, 3],
    ['is_null(d)', {}, true],
    ['is_null(d / e)', { d: 1, e: 0 }, true],
    // Three-valued logic, as in SQL.
    ['b && c', { b: false }, false],
    ['b && c', { c: false }, false],
    ['b && c', { b: true }, null],
    ['b || c', { c: true }, true],
    ['b || c', { b: false }, null],
    ['!b', {}, null],
    ['b ? 1 : 2', {}, 2],
    ['if(d > 1, "high", "low")', { d: 2 }, 'high'],
    ['b ? i : d', { b: true, i: '9007199254740993' }, 9007199254740992],
    // Comparisons, exact between whole numbers.
    ['i < j', { i: '9223372036854775806', j: big }, true],
    ['i == j', { i: '9223372036854775806', j: big }, false],
    ['s < t', { s: 'a', t: 'b' }, true],
    ['b != c', { b: true, c: false }, true],
    ['later - at', { at: 5, later: 7 }, 2],
    ['at + i', { at: 5, i: 7 }, 12],
    ['at + i', { at: 5, i: big }, null],
    ['at < later', { at: 5, later: 7 }, true],
    // Functions.
    ['min(i, d, 3)', { i: 2, d: 1.5 }, 1.5],
    ['max(i, j)', { i: big, j: '9223372036854775806' }, big],
    ['floor(d)', { d: -1.5 }, -2],
    ['ceil(d)', { d: -1.5 }, -1],
    ['round(d)', { d: -2.5 }, -3],
    ['round(d)', { d: 2.5 }, 3],
    ['round(i)', { i: 2 }, 2],
    ['log2(i)', { i: 8 }, 3],
    ['sign(i)', { i: -5 }, -1],
    ['int(d)', { d: -2.9 }, -2],
    ['int(d)', { d: 1e300 }, null],
    ['int(b)', { b: true }, 1],
    ['double(i)', { i: big }, 9223372036854775808],
    ['length(s)', { s: 'a😀' }, 2],
    ['length(list)', { list: [1, 2] }, 2],
    ['concat(s, "|", t)', { s: 'a', t: 'b' }, 'a|b'],
    ['hour(at)', { at: Date.UTC(1969, 11, 31, 23, 30) * 1000 }, 23],
    ['day_of_week(at)', { at: Date.UTC(2026, 0, 1) * 1000 }, 4],
    ['day_of_week(at)', { at: Date.UTC(1969, 11, 28) * 1000 }, 7],
    // Precedence, as everywhere.
    ['1 + 2 * 3 - 4 / 2', {}, 5],
    ['(1 + 2) * 3', {}, 9],
    ['i > 1 && i < 3 || b', { i: 2 }, true],
    ['-i + 1', { i: 2 }, -1],
  ])('%s of %j is %j', (expression, row, value) => {
    expect(of(expression, row)).toEqual(value);
  });

  test.each([
    ['i / j', 'DOUBLE'],
    ['i + j', 'INT64'],
    ['i + 1.0', 'DOUBLE'],
    ['b ? i : d', 'DOUBLE'],
    ['later - at', 'INT64'],
    ['s == t', 'BOOL'],
    ['coalesce(null, s)', 'STRING'],
    ['pow(2, 3)', 'DOUBLE'],
  ])('%s is %s', (expression, type) => {
    expect(typeOf(expression)).toBe(type);
  });

  test.each([
    ['i + nope', 'at character 5: names nope, which is neither an input nor an earlier output'],
    ['toString', 'at character 1: names toString, which is neither an input nor an earlier output'],
    ['1 +  hasOwnProperty(i)', 'at character 6: calls hasOwnProperty, which is no function'],
    ['i + s', 'at character 1: applies + to INT64, STRING'],
    ['i == s', 'at character 1: applies == to INT64, STRING'],
    ['i == null', 'at character 1: applies == to INT64, NULL'],
    ['d + (s * 2)', 'at character 5: applies * to STRING, INT64'],
    ['log(s)', 'at character 1: gives log STRING; it takes a number'],
    ['log(1, 2)', 'at character 1: gives log 2 values; it takes 1'],
    ['max(1)', 'at character 1: gives max 1 values; it takes 2 to 16'],
    ['log', 'at character 1: names log, which is a function'],
    ['i ? 1 : 2', 'at character 1: chooses by a condition'],
    ['b ? 1 : "a"', 'at character 1: chooses by a condition'],
    ['i === j', 'at character 1: uses ===, which is no operator here'],
    ['1 + 5 % 0', 'at character 5: has no value'],
    ['9223372036854775808', 'at character 1: has a whole number beyond 64 bits'],
    ['d + 1e400', 'at character 5: has a number that is not finite'],
    ['i +', 'at character 4: cannot be read'],
    ['i j', 'at character 3: is more than one expression'],
    [`${'abs('.repeat(40)}i${')'.repeat(40)}`, 'is nested deeper than 32 levels'],
    [`i${'+i'.repeat(40)}`, 'is nested deeper than 32 levels'],
    ['i'.repeat(1001), 'at character 1001: is longer than 1000 characters'],
    ['"\uD800"', 'at character 1: has a string of broken characters'],
  ])('%s is refused', (expression, sentence) => {
    expect(faultOf(expression)).toContain(sentence);
  });

  test('of any text either is refused with its place or computes values that can be stored', () => {
    const pieces = fc.constantFrom('i', 'd', 's', 'b', 'at', 'list', '1', '0', '2.5', '1e308', '"x"', 'null', 'true', '(', ')', '+', '-', '*', '/', '%', '<', '==', '&&', '||', '!', '?', ':', ',', 'log(', 'pow(', 'coalesce(', 'if(', 'int(', 'exp(', '.', '[', '__proto__');
    const value: fc.Arbitrary<Row> = fc.record({ i: fc.constantFrom(null, 0, 1, -1, big, '-9223372036854775808'), d: fc.constantFrom(null, 0, 1.5, -1e308, 5e-324), s: fc.constantFrom(null, '', 'a'), b: fc.constantFrom(null, true, false), at: fc.constantFrom(null, 0), list: fc.constantFrom(null, [1]) });
    let computed = 0;
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 9 }).map((parts) => parts.join(' ')), value, (text, row) => {
        if (faultOf(text) !== 'no fault') return;
        computed++;
        const result = of(text, row);
        if (typeof result === 'number') expect(Number.isFinite(result) && !Object.is(result, -0)).toBe(true);
        expect(JSON.parse(JSON.stringify(result))).toEqual(result);
      }),
      { numRuns: 5000 },
    );
    expect(computed).toBeGreaterThan(50);
  });
});
