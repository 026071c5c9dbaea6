import type { FeatureType, FeatureValue } from '../../values.js';
import { toDouble, type Int64 } from './numbers.js';

/** The values of one name, a row each. */
export type Values = ArrayLike<FeatureValue | null>;

/** Computes one row's value; `columns` are the inputs and earlier outputs by their places. */
export type Evaluate = (columns: readonly Values[], row: number) => FeatureValue | null;

/** The type of an expression; NULL is that of the word null, which fits every type. */
export type ExpressionType = FeatureType | 'NULL';

/** A part of an expression, ready to be computed. */
export interface Typed {
  readonly type: ExpressionType;
  readonly evaluate: Evaluate;
}

/** A rule for operands of certain types: what comes out, or undefined where the types do not fit. */
export type Rule = (operands: readonly Typed[]) => Typed | undefined;

export const isNumber = ({ type }: Typed): boolean => type === 'INT64' || type === 'DOUBLE';
export const areNumbers = (operands: readonly Typed[]): boolean => operands.every(isNumber);
export const are = (operands: readonly Typed[], type: FeatureType): boolean => operands.every((one) => one.type === type);

/** One value in, one out; null stays null. */
export const ofOne = (type: FeatureType, { evaluate }: Typed, compute: (value: any) => FeatureValue | null): Typed => ({
  type,
  evaluate: (columns, row) => {
    const value = evaluate(columns, row);
    return value === null ? null : compute(value);
  },
});

/** Two values in, one out; null where either is. */
export const ofTwo = (type: FeatureType, left: Typed, right: Typed, compute: (a: any, b: any) => FeatureValue | null): Typed => {
  const [first, second] = [left.evaluate, right.evaluate];
  return {
    type,
    evaluate: (columns, row) => {
      const a = first(columns, row);
      if (a === null) return null;
      const b = second(columns, row);
      return b === null ? null : compute(a, b);
    },
  };
};

/** The number as a double, whichever kind it is. */
export const asDouble = (operand: Typed): Typed => (operand.type === 'INT64' ? ofOne('DOUBLE', operand, (value: Int64) => toDouble(value)) : operand);

/** The operands brought to one type: whole numbers become doubles beside doubles, null fits all. Undefined where they have none in common. */
export function unified(operands: readonly Typed[]): { readonly type: ExpressionType; readonly operands: readonly Typed[] } | undefined {
  const types = new Set(operands.map(({ type }) => type).filter((type) => type !== 'NULL'));
  if (types.size <= 1) return { type: [...types][0] ?? 'NULL', operands };
  return operands.every((one) => one.type === 'NULL' || isNumber(one)) ? { type: 'DOUBLE', operands: operands.map((one) => (one.type === 'NULL' ? one : asDouble(one))) } : undefined;
}
